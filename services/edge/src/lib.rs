//! The edge: HTTP in, NATS requests out. Its routes come from the contract; nothing here knows an operation by name.
//!
//! A request's way: `guard` gives it a context, [`routes`] says what it leads to, [`identify`] who asks,
//! `extract` turns it into the message, `forward` sends that, and `respond` or `problem` answers.

mod access_log;
mod body;
mod conditions;
pub mod config;
pub mod context;
mod docs;
mod extract;
mod forward;
mod guard;
pub mod health;
pub mod identify;
mod problem;
mod query;
mod respond;
pub mod router;
pub mod routes;
mod serve;

pub use config::EdgeConfig;
pub use serve::{EdgeApp, app, service};
