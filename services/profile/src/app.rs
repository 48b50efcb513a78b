//! The service's state and settings.

use garde::Validate;
use platform::Setup;
use serde::Deserialize;
use store::{HasStore, Store};

/// What the handlers of the profile service share.
pub struct ProfileApp {
    pub(crate) store: Store,
    #[allow(dead_code, reason = "its settings come next")]
    pub(crate) config: ProfileConfig,
}

impl platform::App for ProfileApp {
    const NAME: &'static str = "profile";
}

impl HasStore for ProfileApp {
    fn store(&self) -> &Store {
        &self.store
    }
}

platform::calls!(ProfileApp => []);

/// The section `profile` of the settings.
#[derive(Debug, Clone, Default, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileConfig {}

/// Connects the service's store and reads its settings.
///
/// # Errors
/// A bad setting, or no database.
pub async fn app(setup: &Setup) -> anyhow::Result<ProfileApp> {
    let config = setup.settings.section("profile")?;
    let store = Store::open(setup).await?;
    Ok(ProfileApp { store, config })
}
