//! Postgres as a service sees it: one schema, one login role, and transactions that carry their events with them.
//!
//! - [`Store::write`] and [`Store::keyed`] run a handler's one transaction; [`Tx::emit`] puts events into its outbox.
//! - [`EventLog::event_log`] has a service's outbox published to JetStream; [`work()`] makes a durable consumer whose
//!   effect and inbox row are one transaction.
//! - [`ordered()`] makes one that handles each aggregate's events in their order; what no attempt brings through is kept in
//!   [`dead_letters`].
//! - [`Error`] knows the violated constraint, which repositories turn into the service's own errors
//!   ([`ResultExt::on_constraint`]).
//! - A [`ReadModel`] keeps what other services tell, [`read_models!`] hears it, [`projection`] builds it from its owner's
//!   snapshot; [`memberships`] and [`roles`] are such.
//! - [`person`] keeps what people write under keys of their own, reads and forgets what a service has of them.
//! - [`audit`] keeps the entries of the audit log.
//! - [`Query`] puts hand-written statements together; [`cursor`], [`keyset`] and [`page()`] page lists,
//!   [`expect_version`] guards changes, [`delete_in_batches`] sweeps.
//!
//! The tables that this needs stand in `migrations/sql/common.up.sql`, `event_log.up.sql` and `audit_log.up.sql`.

pub mod audit;
mod begin;
mod cleanup;
mod clock;
mod config;
pub mod cursor;
pub mod dead_letters;
mod error;
mod event_log;
mod idempotency;
mod keyed;
pub mod keyset;
pub mod memberships;
mod metrics;
mod ops;
mod outbox;
pub mod person;
mod planted;
pub mod projection;
mod query;
mod read_model;
pub mod relay;
pub mod roles;
mod store;
mod transaction;
mod tx;
mod version;
mod within;
mod work;

#[cfg(test)]
mod mangled_tests;

pub use audit::AuditConfig;
pub use begin::begin;
pub use cleanup::delete_in_batches;
pub use clock::now;
pub use config::PostgresConfig;
pub use cursor::page;
pub use error::{Error, ResultExt};
pub use event_log::EventLog;
pub use projection::ReadModels;
pub use query::{Query, id_list, statement};
pub use read_model::{ReadModel, Replaces, StateOf, keep, keep_removed, store_row};
pub use relay::{relay, relay_lock_key};
pub use store::{HasStore, Store};
pub use tx::Tx;
pub use version::{expect_version, expect_version_if_given};
pub use work::{Told, consumers_status, ordered, pause, resume, work};
