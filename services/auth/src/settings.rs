//! What can be configured of the auth service.

use chrono::TimeDelta;
use garde::Validate;
use serde::Deserialize;

/// The section `auth`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct AuthSettings {
    /// For how many seconds a spent refresh token still gets the answer that it got, at most a minute. 0 turns
    /// that off.
    #[garde(range(min = 0, max = 60))]
    pub refresh_grace_seconds: i64,
    /// For how many days a refresh token holds.
    #[garde(range(min = 1, max = 365))]
    pub refresh_token_days: i64,
    /// How many password hashes are worked on at once, 19 MiB of memory and one core each. 0: as many as there are
    /// cores.
    #[garde(range(min = 0, max = 256))]
    pub password_workers: usize,
    /// How many attempts on an account may fail, or be under way, before the next one has to wait: a second at first,
    /// twice as long after each further failure, a quarter of an hour at the most.
    #[garde(range(min = 1, max = 1_000_000))]
    pub account_attempts: u32,
    /// Likewise for all attempts from one address of a client.
    #[garde(range(min = 1, max = 1_000_000))]
    pub address_attempts: u32,
    /// How many seconds pass between two sweeps of what has expired.
    #[garde(range(min = 1, max = 3600))]
    pub sweep_seconds: u64,
}

impl Default for AuthSettings {
    fn default() -> AuthSettings {
        AuthSettings {
            refresh_grace_seconds: 10,
            refresh_token_days: 30,
            password_workers: 0,
            account_attempts: 5,
            address_attempts: 100,
            sweep_seconds: 60,
        }
    }
}

impl AuthSettings {
    /// See [`AuthSettings::refresh_grace_seconds`].
    pub fn refresh_grace(&self) -> TimeDelta {
        TimeDelta::seconds(self.refresh_grace_seconds)
    }

    /// See [`AuthSettings::refresh_token_days`].
    pub fn refresh_token_lifetime(&self) -> TimeDelta {
        TimeDelta::days(self.refresh_token_days)
    }
}
