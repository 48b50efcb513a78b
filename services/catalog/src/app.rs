//! The service's state and settings.

use garde::Validate;
use platform::Setup;
use serde::Deserialize;
use std::time::Duration;
use store::{HasStore, ReadModels, Store};
use subjects::auth::RoleSnapshot;
use subjects::vendor::{FindClinic, FindVendor, MembershipSnapshot, VendorSnapshot};
use subjects::{Fault, RoleName};

/// What the handlers of the catalog service share.
pub struct CatalogApp {
    pub(crate) store: Store,
    pub(crate) config: CatalogConfig,
}

impl platform::App for CatalogApp {
    const NAME: &'static str = "catalog";

    async fn allows(&self, roles: &[RoleName], permission: &'static str) -> Result<bool, Fault> {
        store::roles::allow(self.store.read(), roles, permission).await
    }
}

impl HasStore for CatalogApp {
    fn store(&self) -> &Store {
        &self.store
    }

    fn read_models() -> ReadModels<CatalogApp> {
        crate::read_models::all()
    }
}

platform::calls!(CatalogApp => [RoleSnapshot, FindClinic, FindVendor, VendorSnapshot, MembershipSnapshot]);

/// The section `catalog` of the settings.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct CatalogConfig {
    /// For how many minutes a reservation keeps its stock, where it does not say so itself.
    #[garde(range(min = 1, max = 1_440))]
    pub reservation_minutes: u32,
    /// How often reservations that have expired are swept away, in milliseconds.
    #[garde(range(min = 10, max = 3_600_000))]
    pub expiry_interval_ms: u64,
    /// How long the vendor service may take to tell of a vendor before a product is told without it, in milliseconds.
    /// Never more than three quarters of what the caller has left.
    #[garde(range(min = 1, max = 30_000))]
    pub vendor_timeout_ms: u64,
    /// How often it is looked for prices that begin to hold and categories with a new name, in milliseconds.
    #[garde(range(min = 10, max = 3_600_000))]
    pub upkeep_interval_ms: u64,
}

impl Default for CatalogConfig {
    fn default() -> CatalogConfig {
        CatalogConfig {
            reservation_minutes: 15,
            expiry_interval_ms: 3_000,
            upkeep_interval_ms: 500,
            vendor_timeout_ms: 1_500,
        }
    }
}

impl CatalogConfig {
    pub(crate) fn reservation_time(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.reservation_minutes))
    }

    pub(crate) fn vendor_timeout(&self) -> Duration {
        Duration::from_millis(self.vendor_timeout_ms)
    }

    pub(crate) fn upkeep_interval(&self) -> Duration {
        Duration::from_millis(self.upkeep_interval_ms)
    }

    pub(crate) fn expiry_interval(&self) -> Duration {
        Duration::from_millis(self.expiry_interval_ms)
    }
}

/// Connects the service's store and reads its settings.
///
/// # Errors
/// A bad setting, or no database.
pub async fn app(setup: &Setup) -> anyhow::Result<CatalogApp> {
    let config = setup.settings.section("catalog")?;
    let store = Store::open(setup).await?;
    Ok(CatalogApp { store, config })
}
