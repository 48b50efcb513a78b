//! The section `postgres`.

use garde::Validate;
use serde::Deserialize;

/// How a service reaches its schema. The login role is `<role_prefix>_<service>`; its password is a key of the
/// service.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct PostgresConfig {
    /// Server and database, without a user: `postgres://127.0.0.1:5432/petpro`.
    #[garde(length(min = 1, max = 1024), pattern("^postgres(ql)?://"))]
    pub url: String,
    /// Roles belong to the whole Postgres cluster, so the environment stands in their names.
    #[garde(pattern("^[a-z][a-z0-9_]{0,30}$"))]
    pub role_prefix: String,
    /// Connections of one replica of one service; services × replicas × this stays below `max_connections`.
    #[garde(range(min = 2, max = 1000))]
    pub max_connections: u32,
    /// After how many milliseconds the server gives up a statement.
    #[garde(range(min = 100, max = 600_000))]
    pub statement_timeout_ms: u32,
}

impl Default for PostgresConfig {
    fn default() -> PostgresConfig {
        PostgresConfig {
            url: "postgres://127.0.0.1:5432/petpro".to_owned(),
            role_prefix: "petpro".to_owned(),
            max_connections: 10,
            statement_timeout_ms: 5_000,
        }
    }
}
