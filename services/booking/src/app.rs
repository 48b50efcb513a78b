//! The service's state and settings.

use garde::Validate;
use platform::Setup;
use serde::Deserialize;
use std::time::Duration;
use store::person::PersonKeys;
use store::{HasStore, ReadModels, Store};
use subjects::auth::RoleSnapshot;
use subjects::profile::{FindPet, PetSnapshot};
use subjects::vendor::{
    ClinicSnapshot, HoursSnapshot, MembershipSnapshot, ServiceSnapshot, StaffSnapshot, VendorAvailability,
    VendorSnapshot,
};
use subjects::{Fault, RoleName};

/// What the handlers of the booking service share.
pub struct BookingApp {
    pub(crate) store: Store,
    /// The keys of those whose texts are kept.
    pub(crate) people: PersonKeys,
    pub(crate) config: BookingConfig,
}

impl platform::App for BookingApp {
    const NAME: &'static str = "booking";

    async fn allows(&self, roles: &[RoleName], permission: &'static str) -> Result<bool, Fault> {
        store::roles::allow(self.store.read(), roles, permission).await
    }
}

impl HasStore for BookingApp {
    fn store(&self) -> &Store {
        &self.store
    }

    fn read_models() -> ReadModels<BookingApp> {
        crate::read_models::all()
    }
}

platform::calls!(BookingApp => [RoleSnapshot,
    VendorAvailability,
    FindPet,
    VendorSnapshot,
    ClinicSnapshot,
    ServiceSnapshot,
    StaffSnapshot,
    HoursSnapshot,
    MembershipSnapshot,
    PetSnapshot,
]);

/// The section `booking` of the settings.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct BookingConfig {
    /// How long the vendor service may take to tell its availability before the read models are used, in
    /// milliseconds. Never more than half of what the caller has left.
    #[garde(range(min = 1, max = 30_000))]
    pub vendor_timeout_ms: u64,
    /// How often provisional bookings, and those under which the schedule has changed, are checked again, in
    /// milliseconds.
    #[garde(range(min = 10, max = 3_600_000))]
    pub recheck_interval_ms: u64,
    /// For how many minutes a hold keeps its time.
    #[garde(range(min = 1, max = 60))]
    pub hold_minutes: u32,
    /// How often unconfirmed bookings and holds that have expired are swept away, in milliseconds.
    #[garde(range(min = 10, max = 3_600_000))]
    pub expiry_interval_ms: u64,
}

impl Default for BookingConfig {
    fn default() -> BookingConfig {
        BookingConfig {
            vendor_timeout_ms: 1_500,
            recheck_interval_ms: 5_000,
            hold_minutes: 5,
            expiry_interval_ms: 3_000,
        }
    }
}

impl BookingConfig {
    pub(crate) fn vendor_timeout(&self) -> Duration {
        Duration::from_millis(self.vendor_timeout_ms)
    }

    pub(crate) fn recheck_interval(&self) -> Duration {
        Duration::from_millis(self.recheck_interval_ms)
    }

    pub(crate) fn hold_time(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.hold_minutes))
    }

    pub(crate) fn expiry_interval(&self) -> Duration {
        Duration::from_millis(self.expiry_interval_ms)
    }
}

/// Connects the service's store and reads its settings.
///
/// # Errors
/// A bad setting, or no database.
pub async fn app(setup: &Setup) -> anyhow::Result<BookingApp> {
    let config = setup.settings.section("booking")?;
    let store = Store::open(setup).await?;
    let people = PersonKeys::open(setup, &store)?;
    Ok(BookingApp { store, people, config })
}
