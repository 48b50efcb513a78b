//! Postgres as a service sees it: one schema, one login role, and transactions that carry their events with them.
//!
//! - [`Store::write`] and [`Store::keyed`] run a handler's one transaction; [`Tx::emit`] puts events into its outbox.
//! - [`relay()`] publishes the outbox to JetStream; [`work()`] makes a durable consumer whose effect and inbox row are
//!   one transaction.
//! - [`Error`] knows the violated constraint, which repositories turn into the service's own errors
//!   ([`ResultExt::on_constraint`]).
//! - [`store_if_newer`] keeps read models of what other services tell, [`read_models!`] hears it; [`memberships`] is one
//!   of them.
//! - [`person`] keeps what people write under keys of their own, reads and forgets what a service has of them.
//! - [`Query`] puts hand-written statements together; [`cursor`], [`keyset`] and [`page()`] page lists,
//!   [`expect_version`] guards changes, [`delete_in_batches`] sweeps.
//!
//! The tables that this needs stand in `migrations/sql/common.up.sql`.

mod cleanup;
mod clock;
mod config;
pub mod cursor;
mod error;
mod idempotency;
mod keyed;
pub mod keyset;
pub mod memberships;
mod metrics;
mod outbox;
pub mod person;
mod query;
mod read_model;
mod relay;
mod store;
mod transaction;
mod tx;
mod version;
mod within;
mod work;

pub use cleanup::delete_in_batches;
pub use clock::now;
pub use config::PostgresConfig;
pub use cursor::page;
pub use error::{Error, ResultExt};
pub use query::{Query, id_list, statement};
pub use read_model::store_if_newer;
pub use relay::{relay, relay_lock_key};
pub use store::{HasStore, Store};
pub use tx::Tx;
pub use version::{expect_version, expect_version_if_given};
pub use work::work;
