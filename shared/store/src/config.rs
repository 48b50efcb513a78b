//! The section `postgres`.

use garde::Validate;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sqlx::postgres::PgConnectOptions;
use std::str::FromStr;
use std::time::Duration;

/// How a service reaches its database.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct PostgresConfig {
    /// Address and database, without a user: each service has its own. For example
    /// `postgres://127.0.0.1:5432/petpro`, with libpq's parameters (`?sslmode=verify-full`) where needed.
    #[garde(custom(is_an_address_without_user))]
    pub url: String,
    /// Names the environment in the roles `<prefix>_<service>`, since roles are shared by a whole Postgres cluster.
    #[garde(length(min = 1, max = 40))]
    pub role_prefix: String,
    /// How many connections a replica of a service may hold. Services × replicas × this must stay below Postgres's
    /// `max_connections`; each replica's relay takes one more.
    #[garde(range(min = 1, max = 500))]
    pub max_connections: u32,
    /// How long to wait for a free connection at the most, in milliseconds; a request waits no longer than its
    /// deadline in any case.
    #[garde(range(min = 1, max = 60_000))]
    pub acquire_timeout_ms: u64,
    /// How long a statement may run, in milliseconds.
    #[garde(range(min = 1, max = 600_000))]
    pub statement_timeout_ms: u64,
}

impl Default for PostgresConfig {
    fn default() -> PostgresConfig {
        PostgresConfig {
            url: "postgres://127.0.0.1:5432/petpro".to_owned(),
            role_prefix: "petpro".to_owned(),
            max_connections: 10,
            acquire_timeout_ms: 5_000,
            statement_timeout_ms: 5_000,
        }
    }
}

/// A transaction that is left open holds locks: Postgres ends it after this time.
const IDLE_IN_TRANSACTION: Duration = Duration::from_secs(60);

impl PostgresConfig {
    pub(crate) fn acquire_timeout(&self) -> Duration {
        Duration::from_millis(self.acquire_timeout_ms)
    }

    /// Connections of `service` under its own role, whose names without a schema mean its own, and then those of
    /// the extensions.
    pub(crate) fn session(&self, service: &str, password: &SecretString) -> Session {
        Session {
            role: format!("{}_{service}", self.role_prefix),
            password: password.clone(),
            application_name: format!("petpro-{service}"),
            settings: vec![
                ("search_path", format!("{service},ext")),
                ("statement_timeout", self.statement_timeout_ms.to_string()),
                ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION.as_millis().to_string()),
            ],
        }
    }
}

/// Who connects, and with which settings.
#[derive(Clone)]
pub(crate) struct Session {
    role: String,
    password: SecretString,
    application_name: String,
    settings: Vec<(&'static str, String)>,
}

impl Session {
    pub(crate) fn apply(&self, options: PgConnectOptions) -> PgConnectOptions {
        options
            .username(&self.role)
            .password(self.password.expose_secret())
            .application_name(&self.application_name)
            .statement_cache_capacity(200)
            .options(self.settings.iter().map(|(name, value)| (*name, value.as_str())))
    }
}

fn is_an_address_without_user(url: &str, _: &()) -> garde::Result {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(garde::Error::new("must begin with postgres://"));
    }
    let address = url.split_once("://").map_or(url, |(_, address)| address);
    let authority = address.split(['/', '?']).next().unwrap_or(address);
    if authority.contains('@') {
        return Err(garde::Error::new("must name no user: each service connects under its own role"));
    }
    match PgConnectOptions::from_str(url) {
        Ok(_) => Ok(()),
        Err(_) => Err(garde::Error::new("is not an address of Postgres")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_user() {
        let with_url = |url: &str| PostgresConfig { url: url.to_owned(), ..PostgresConfig::default() };
        assert!(PostgresConfig::default().validate().is_ok());
        assert!(with_url("postgres://db:5432/petpro?sslmode=disable").validate().is_ok());
        for refused in ["postgres://me:secret@db/petpro", "mysql://db/petpro", "db", "postgres://db:port/petpro"] {
            assert!(with_url(refused).validate().is_err(), "{refused}");
        }
    }
}
