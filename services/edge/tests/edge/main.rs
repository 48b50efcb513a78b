//! The edge over HTTP, before a small real service behind a real nats-server with the real permissions.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

mod documents;
mod identity_of_callers;
mod leaving;
mod passing_through;
mod problems;
mod stack;
mod tiny_vendor;
