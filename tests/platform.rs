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

/// The requests that the edge is tested with alone.
#[allow(dead_code, reason = "some of it only the edge's own tests need")]
#[path = "../services/edge/tests/edge/samples.rs"]
mod samples;

/// Likewise.
#[path = "../services/edge/tests/edge/documented.rs"]
mod documented;

#[path = "platform/arena.rs"]
mod arena;
#[path = "platform/attacks.rs"]
mod attacks;
#[path = "platform/audit.rs"]
mod audit;
#[path = "platform/cache.rs"]
mod cache;
#[path = "platform/command_line.rs"]
mod command_line;
#[path = "platform/crashes.rs"]
mod crashes;
#[path = "platform/decoders.rs"]
mod decoders;
#[path = "platform/evolution.rs"]
mod evolution;
#[path = "platform/hostile.rs"]
mod hostile;
#[path = "platform/key_commands.rs"]
mod key_commands;
#[path = "platform/key_rotation.rs"]
mod key_rotation;
#[path = "platform/leaving.rs"]
mod leaving;
#[path = "platform/limits.rs"]
mod limits;
#[path = "platform/matrix.rs"]
mod matrix;
#[path = "platform/nest.rs"]
mod nest;
#[path = "platform/operations.rs"]
mod operations;
#[path = "platform/permissions.rs"]
mod permissions;
#[path = "platform/privacy.rs"]
mod privacy;
#[path = "platform/races.rs"]
mod races;
#[path = "platform/repeats.rs"]
mod repeats;
#[path = "platform/roles.rs"]
mod roles;
#[path = "platform/story.rs"]
mod story;
#[path = "platform/streams.rs"]
mod streams;
#[path = "platform/traffic.rs"]
mod traffic;
