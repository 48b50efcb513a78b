//! The limits in the section `edge`, and the section `redis`.

use super::gcra::Policy;
use garde::Validate;
use secrecy::SecretString;
use serde::Deserialize;
use std::time::Duration;

/// How many requests each budget grants. `PETPRO_EDGE__LIMITS__GENERAL__QUOTA` and so on.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// Requests of an address with nobody signed in.
    #[garde(dive)]
    pub general: Quota,
    /// Requests of a signed-in user, wherever they come from.
    #[garde(dive)]
    pub user: Quota,
    /// Requests of an address that show or set a password or a refresh token; they count as general ones, too.
    #[garde(dive)]
    pub credentials: Quota,
    /// Requests of an address for one-time codes; they count as general ones, too.
    #[garde(dive)]
    pub codes: Quota,
}

/// So many requests in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// How many; all of them may come at once.
    #[garde(range(min = 1, max = 1_000_000))]
    pub quota: u32,
    /// The time in which a used quota comes back, evenly, in seconds.
    #[garde(range(min = 1, max = 86_400))]
    pub window_s: u32,
}

/// A quarter of an hour.
const WINDOW_S: u32 = 900;

impl Default for LimitsConfig {
    fn default() -> LimitsConfig {
        let quota = |quota| Quota { quota, window_s: WINDOW_S };
        LimitsConfig { general: quota(100), user: quota(1_000), credentials: quota(20), codes: quota(5) }
    }
}

/// How seriously the limits are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitsProfile {
    /// As they are configured.
    Standard,
    /// A thousand times as much, all counted nevertheless: for a stack on one's own machine and for tests.
    Wide,
    /// Nothing is counted: for measurements.
    Bench,
}

impl LimitsProfile {
    /// What a quota is under this profile; none: there is no limit.
    pub fn policy(self, quota: Quota) -> Option<Policy> {
        let window = Duration::from_secs(u64::from(quota.window_s));
        match self {
            LimitsProfile::Standard => Some(Policy { quota: quota.quota, window }),
            LimitsProfile::Wide => Some(Policy { quota: quota.quota.saturating_mul(1_000), window }),
            LimitsProfile::Bench => None,
        }
    }
}

/// The Redis that instances of the edge share their counts in. `PETPRO_REDIS__URL` and so on.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct RedisConfig {
    /// `redis://[user[:password]@]host[:port][/database]`. Without one, each instance counts for itself.
    #[garde(skip)]
    pub url: Option<SecretString>,
    /// The password, in place of one in the address; `PETPRO_REDIS__PASSWORD_FILE` names a file that holds it.
    #[garde(skip)]
    pub password: Option<SecretString>,
    /// How long a request waits for Redis at the most, in milliseconds, before its instance decides alone.
    #[garde(range(min = 1, max = 5_000))]
    pub timeout_ms: u64,
}

impl Default for RedisConfig {
    fn default() -> RedisConfig {
        RedisConfig { url: None, password: None, timeout_ms: 50 }
    }
}

impl RedisConfig {
    /// [`RedisConfig::timeout_ms`] as a duration.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}
