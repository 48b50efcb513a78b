//! The database's shape: SQL files up and down per service schema, and the runner that applies them.
//!
//! One database, one schema and one login role a service. Schemas and tables belong to the admin role; a service's
//! role may read and write rows of its own schema, and use the extensions in schema `ext`, and nothing else.
//! Applied by command, never on start.
//!
//! A migration is a pair of files `sql/<service>/<nnnn>_<name>.up.sql` and `.down.sql`; they run in the service's
//! schema with the search path `<service>,ext`, each in its own transaction.

mod access;
mod runner;
mod sql_files;

pub use access::{ServiceLogin, grants_for_clone, role_name};
pub use runner::{MigrationState, down, migrate, status};

/// The services that keep data, in the order in which they are migrated.
pub const SERVICES: [&str; 5] = ["auth", "profile", "vendor", "booking", "catalog"];
