//! The services that this binary holds.

use futures::future::BoxFuture;
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{ConsumerDeclaration, Declaration};

/// A service: what it declares, and how to start it.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// What it answers, calls and consumes.
    pub declaration: fn() -> Declaration,
    /// Connects and starts it under its own identity.
    pub start: fn(Host) -> BoxFuture<'static, anyhow::Result<Running>>,
}

/// Each service's two functions are generic in its state, which an `Entry` must not be.
macro_rules! entry {
    ($name:literal, $service:path, $app:path) => {
        Entry {
            name: $name,
            declaration: || $service().declaration(),
            start: |host| {
                Box::pin(async move {
                    let setup = Setup::connect(&host, $name).await?;
                    let app = $app(&setup).await?;
                    runtime::start(setup, $service(), app).await
                })
            },
        }
    };
}

/// Every service. They start at once; the edge leaves first.
pub const ALL: [Entry; 6] = [
    entry!("auth", auth::service, auth::app),
    entry!("profile", profile::service, profile::app),
    entry!("vendor", vendor::service, vendor::app),
    entry!("booking", booking::service, booking::app),
    entry!("catalog", catalog::service, catalog::app),
    entry!("edge", edge::service, edge::app),
];

/// The names of all services.
pub fn names() -> [&'static str; 6] {
    ALL.map(|entry| entry.name)
}

/// What all services declare.
pub fn declarations() -> Vec<Declaration> {
    ALL.iter().map(|entry| (entry.declaration)()).collect()
}

/// The durable consumers of all services.
pub fn consumers() -> Vec<ConsumerDeclaration> {
    declarations().into_iter().flat_map(|declaration| declaration.consumers).collect()
}
