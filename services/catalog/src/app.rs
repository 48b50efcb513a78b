//! The service's state and settings.

use garde::Validate;
use platform::Setup;
use serde::Deserialize;
use store::{HasStore, Store};

/// What the handlers of the catalog service share.
pub struct CatalogApp {
    pub(crate) store: Store,
    #[allow(dead_code, reason = "its settings come next")]
    pub(crate) config: CatalogConfig,
}

impl platform::App for CatalogApp {
    const NAME: &'static str = "catalog";
}

impl HasStore for CatalogApp {
    fn store(&self) -> &Store {
        &self.store
    }
}

platform::calls!(CatalogApp => []);

/// The section `catalog` of the settings.
#[derive(Debug, Clone, Default, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct CatalogConfig {}

/// Connects the service's store and reads its settings.
///
/// # Errors
/// A bad setting, or no database.
pub async fn app(setup: &Setup) -> anyhow::Result<CatalogApp> {
    let config = setup.settings.section("catalog")?;
    let store = Store::open(setup).await?;
    Ok(CatalogApp { store, config })
}
