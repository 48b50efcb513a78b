//! Postgres for services: transactions that tell the world, once, what they made true.
//!
//! - [`Store::write`] runs a change in one transaction; [`Store::keyed`] also keeps its answer under the caller's
//!   idempotency key.
//! - [`Tx::emit`] puts an event into the outbox of the same transaction; [`relay`] publishes it.
//! - [`work`] makes a durable consumer whose effect and inbox row are one transaction.
//! - [`Error`] knows which constraint was violated; [`ResultExt::on_constraint`] makes it a typed error.

pub mod cleanup;
mod config;
pub mod cursor;
mod error;
mod idempotency;
mod outbox;
mod relay;
mod store;
mod tx;
mod version;
mod work;

pub use cleanup::cleanup;
pub use config::PostgresConfig;
pub use cursor::page;
pub use error::{Error, ResultExt};
pub use relay::{relay, relay_lock_key};
pub use store::{HasStore, Store};
pub use tx::Tx;
pub use version::expect_version;
pub use work::work;
