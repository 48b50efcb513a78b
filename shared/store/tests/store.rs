//! The store against a real Postgres and a real NATS with the generated permissions.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop where it stands")]

#[path = "store/access.rs"]
mod access;
#[path = "store/consuming.rs"]
mod consuming;
#[path = "store/consuming_faults.rs"]
mod consuming_faults;
#[path = "store/consuming_provision.rs"]
mod consuming_provision;
#[path = "store/hearing.rs"]
mod hearing;
#[path = "store/keyed.rs"]
mod keyed;
#[path = "store/ordered.rs"]
mod ordered;
#[path = "store/parking.rs"]
mod parking;
#[path = "store/person.rs"]
mod person;
#[path = "store/relaying.rs"]
mod relaying;
#[path = "store/relaying_rates.rs"]
mod relaying_rates;
#[path = "store/relaying_refill.rs"]
mod relaying_refill;
#[path = "store/replaying_letters.rs"]
mod replaying_letters;
#[path = "store/transactions.rs"]
mod transactions;
#[path = "store/world.rs"]
mod world;
