//! The store against a real Postgres and a real NATS with the generated permissions.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop where it stands")]

#[path = "store/access.rs"]
mod access;
#[path = "store/consuming.rs"]
mod consuming;
#[path = "store/keyed.rs"]
mod keyed;
#[path = "store/person.rs"]
mod person;
#[path = "store/relaying.rs"]
mod relaying;
#[path = "store/transactions.rs"]
mod transactions;
#[path = "store/world.rs"]
mod world;
