//! The service's state and settings.

use chrono::TimeDelta;
use garde::Validate;
use identity::tokens::{ACCESS_TOKEN_LIFETIME, MESH_TOKEN_LIFETIME};
use platform::Setup;
use serde::Deserialize;
use std::time::Duration;
use store::person::PersonKeys;
use store::{HasStore, ReadModels, Store};
use subjects::auth::RoleSnapshot;
use subjects::booking::BookingSnapshot;
use subjects::privacy::{
    ErasePersonFromAuth, ErasePersonFromBooking, ErasePersonFromCatalog, ErasePersonFromVendor, ExportPersonOfAuth,
    ExportPersonOfBooking, ExportPersonOfCatalog, ExportPersonOfVendor,
};
use subjects::vendor::MembershipSnapshot;
use subjects::{Fault, RoleName};

/// By how much the clocks of hosts may differ.
const CLOCKS: TimeDelta = TimeDelta::seconds(30);

/// What the handlers of the profile service share.
pub struct ProfileApp {
    pub(crate) store: Store,
    /// The keys under which exports are sealed.
    pub(crate) people: PersonKeys,
    pub(crate) config: ProfileConfig,
}

impl platform::App for ProfileApp {
    const NAME: &'static str = "profile";

    async fn allows(&self, roles: &[RoleName], permission: &'static str) -> Result<bool, Fault> {
        store::roles::allow(self.store.read(), roles, permission).await
    }
}

impl HasStore for ProfileApp {
    fn store(&self) -> &Store {
        &self.store
    }

    fn read_models() -> ReadModels<ProfileApp> {
        crate::read_models::all()
    }
}

platform::calls!(ProfileApp => [RoleSnapshot,
    ExportPersonOfAuth,
    ErasePersonFromAuth,
    ExportPersonOfVendor,
    ErasePersonFromVendor,
    ExportPersonOfBooking,
    ErasePersonFromBooking,
    ExportPersonOfCatalog,
    ErasePersonFromCatalog,
    MembershipSnapshot,
    BookingSnapshot,
]);

/// The section `profile` of the settings.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileConfig {
    /// How often it is looked for requests for privacy that are due, in milliseconds.
    #[garde(range(min = 10, max = 60_000))]
    pub privacy_interval_ms: u64,
    /// For how long a replica has taken a request for privacy when it takes it or has an answer, in milliseconds: if it
    /// dies, another one takes over after that time. Well above the ten seconds that one question may take.
    #[garde(range(min = 100, max = 600_000))]
    pub privacy_lease_ms: u64,
    /// How long after everything of a person was erased it is looked for what came in meanwhile, in milliseconds: when no
    /// token of the person can hold any longer, also where nobody could be told that their sessions have ended. These are
    /// the lives of an access token and of a user token made from it, and 30 s by which clocks may differ.
    #[garde(range(min = 10, max = 3_600_000))]
    pub privacy_settling_ms: u64,
}

impl Default for ProfileConfig {
    fn default() -> ProfileConfig {
        let last_token = ACCESS_TOKEN_LIFETIME + MESH_TOKEN_LIFETIME + CLOCKS;
        ProfileConfig {
            privacy_interval_ms: 1_000,
            privacy_lease_ms: 30_000,
            privacy_settling_ms: last_token.num_milliseconds().unsigned_abs(),
        }
    }
}

impl ProfileConfig {
    pub(crate) fn privacy_interval(&self) -> Duration {
        Duration::from_millis(self.privacy_interval_ms)
    }

    pub(crate) fn privacy_lease(&self) -> Duration {
        Duration::from_millis(self.privacy_lease_ms)
    }

    pub(crate) fn privacy_settling(&self) -> Duration {
        Duration::from_millis(self.privacy_settling_ms)
    }
}

/// Connects the service's store and reads its settings.
///
/// # Errors
/// A bad setting, or no database.
pub async fn app(setup: &Setup) -> anyhow::Result<ProfileApp> {
    let config = setup.settings.section("profile")?;
    let store = Store::open(setup).await?;
    let people = PersonKeys::open(setup, &store)?;
    Ok(ProfileApp { store, people, config })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_look_comes_when_no_token_can_hold_whoever_has_heard_what() {
        let config = ProfileConfig::default();
        let settling = TimeDelta::from_std(config.privacy_settling()).unwrap();
        assert!(settling > ACCESS_TOKEN_LIFETIME + MESH_TOKEN_LIFETIME, "{settling}");
        assert!(config.validate().is_ok());
    }
}
