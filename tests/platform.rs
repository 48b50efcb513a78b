//! The whole platform as its users meet it: real servers, the services as processes of their own, HTTP and NATS from
//! outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "platform/world.rs"]
mod world;

#[path = "platform/command_line.rs"]
mod command_line;
#[path = "platform/crashes.rs"]
mod crashes;
#[path = "platform/permissions.rs"]
mod permissions;
#[path = "platform/races.rs"]
mod races;
#[path = "platform/story.rs"]
mod story;
