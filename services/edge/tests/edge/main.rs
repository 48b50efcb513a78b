//! The edge over HTTP, before a small real service behind a real nats-server with the real permissions.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

mod bad_input;
mod browsers;
mod cache;
mod cache_world;
mod connections;
mod documented;
mod documents;
mod event_streams;
mod identity_of_callers;
mod leaving;
mod limits;
mod passing_through;
mod problems;
mod representations;
mod samples;
mod stack;
mod stand_in;
mod tiny_booking;
mod tiny_vendor;
