//! A service of the harness: it takes every event of the platform, under its own schema, role and NATS identity, and
//! writes down each time it had an effect. Its table has no key: what is lost or doubled shows.

mod handlers;
mod table;

use futures::FutureExt as _;
use petpro::services::Entry;
use platform::Setup;
use platform::runtime;
use platform::setup::Host;
use store::{HasStore, Store};

pub use handlers::service;
pub use table::make as make_table;

/// The ledger's name: its schema, its role, its identity.
pub const NAME: &str = "ledger";

/// What the handlers share.
pub struct LedgerApp {
    store: Store,
}

impl platform::App for LedgerApp {
    const NAME: &'static str = NAME;
}

impl HasStore for LedgerApp {
    fn store(&self) -> &Store {
        &self.store
    }
}

platform::calls!(LedgerApp => []);

/// Connects the ledger's store.
///
/// # Errors
/// A bad setting, or no database.
pub async fn app(setup: &Setup) -> anyhow::Result<LedgerApp> {
    Ok(LedgerApp { store: Store::open(setup).await? })
}

/// The ledger beside the services of the platform.
pub fn entry() -> Entry {
    Entry {
        name: NAME,
        declaration: || service().declaration(),
        start: |host: Host| {
            async move {
                let setup = Setup::connect(&host, NAME).await?;
                let app = app(&setup).await?;
                runtime::start(setup, service(), app).await
            }
            .boxed()
        },
    }
}
