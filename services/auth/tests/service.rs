//! The auth service over a real nats-server and Postgres, asked as the edge and as another service ask it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "service/world.rs"]
mod world;

#[path = "service/accounts.rs"]
mod accounts;
#[path = "service/attempts.rs"]
mod attempts;
#[path = "service/audit.rs"]
mod audit;
#[path = "service/codes.rs"]
mod codes;
#[path = "service/pending.rs"]
mod pending;
#[path = "service/privacy.rs"]
mod privacy;
#[path = "service/roles.rs"]
mod roles;
#[path = "service/sessions.rs"]
mod sessions;
#[path = "service/users.rs"]
mod users;
