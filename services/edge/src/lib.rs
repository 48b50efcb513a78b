//! The edge: HTTP in, NATS requests out. Its routes come from the contract; nothing here knows an operation by name.
//!
//! A request's way: `connections` takes it, `guard` gives it a context, [`routes`] says what it leads to, [`identify`] who asks,
//! [`limits`] whether that is too often, `extract` turns it into the message, `cache` has the answer or `forward` sends
//! that, and `respond` or `problem` answers.

mod access_log;
mod body;
mod cache;
mod clients;
mod compression;
mod conditions;
pub mod config;
mod connections;
pub mod context;
mod cors;
mod deprecation;
mod docs;
mod extract;
mod fields;
mod forward;
mod guard;
mod hal;
pub mod health;
pub mod identify;
pub mod limits;
mod metrics;
mod problem;
mod query;
mod redis_link;
mod representation;
mod respond;
pub mod router;
pub mod routes;
mod security_headers;
mod serve;
mod shedding;
mod sse;
mod unique_keys;
mod watch;

#[cfg(test)]
mod mangled_tests;

pub use config::EdgeConfig;
pub use limits::config::RedisConfig;
pub use serve::{EdgeApp, app, service};
