//! The services that this binary holds.

use futures::future::BoxFuture;
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{ConsumerDeclaration, Declaration};
use std::sync::OnceLock;

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

static ADDED: OnceLock<Vec<Entry>> = OnceLock::new();

/// Adds services that belong to whoever builds upon this crate: they get keys, permissions and consumers, and can be
/// run, as those of the platform. Only the first call counts, and it has to come before anything else.
pub fn add(entries: Vec<Entry>) {
    ADDED.get_or_init(|| entries);
}

/// Every service, with those that were added.
pub fn all() -> Vec<Entry> {
    ALL.iter().chain(ADDED.get().into_iter().flatten()).copied().collect()
}

/// The names of all services.
pub fn names() -> Vec<&'static str> {
    all().iter().map(|entry| entry.name).collect()
}

/// What all services declare.
pub fn declarations() -> Vec<Declaration> {
    all().iter().map(|entry| (entry.declaration)()).collect()
}

/// The durable consumers of all services.
pub fn consumers() -> Vec<ConsumerDeclaration> {
    declarations().into_iter().flat_map(|declaration| declaration.consumers).collect()
}
