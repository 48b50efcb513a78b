//! What can be configured of the auth service.

use chrono::TimeDelta;
use garde::Validate;
use serde::Deserialize;

/// The section `auth`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct AuthSettings {
    /// For how many seconds a spent refresh token still gets the answer that it got, at most a minute. 0 turns
    /// that off; where it is less than an edge takes to ask again, a lost answer may end the session.
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
    /// Writes one-time codes into the log, for whoever tries the platform out on their own machine. The service does not
    /// start with it unless NATS and Postgres are on this machine, too.
    #[garde(skip)]
    pub show_codes_in_log: bool,
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
            show_codes_in_log: false,
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

/// Refuses to show codes where others than whoever tries the platform out may be signing in.
///
/// # Errors
/// A server is elsewhere.
pub fn check_is_local(nats_urls: &str, postgres_url: &str) -> anyhow::Result<()> {
    let elsewhere = nats_urls.split(',').chain([postgres_url]).map(str::trim).find(|url| !is_on_this_machine(url));
    anyhow::ensure!(
        elsewhere.is_none(),
        "PETPRO_AUTH__SHOW_CODES_IN_LOG is for trying things out on one machine: NATS or Postgres is elsewhere"
    );
    Ok(())
}

fn is_on_this_machine(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?']).next().unwrap_or_default();
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host_and_port.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host_and_port.split(':').next().unwrap_or_default(),
    };
    // The host may also be a parameter of libpq's.
    let is_named_once = !url.contains("host=") && !url.contains("hostaddr=");
    is_named_once
        && (host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_shown_where_all_is_on_one_machine_only() {
        let (nats, postgres) = ("nats://127.0.0.1:4222, nats://[::1]:4223", "postgres://localhost:5432/petpro?x=y");
        assert!(check_is_local(nats, postgres).is_ok());
        for elsewhere in ["nats://nats:4222", "nats://127.0.0.1:4222,nats://10.0.0.1:4222", "nats://127.0.0.1.example"]
        {
            assert!(check_is_local(elsewhere, postgres).is_err(), "{elsewhere}");
        }
        for elsewhere in
            ["postgres://db/petpro", "postgres:///petpro?host=db", "postgres://localhost@db/petpro", "postgres://"]
        {
            assert!(check_is_local(nats, elsewhere).is_err(), "{elsewhere}");
        }
        assert!(!AuthSettings::default().show_codes_in_log);
    }
}
