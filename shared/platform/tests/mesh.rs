//! The mesh over a real nats-server, with the permissions that the services' declarations give.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "mesh/world.rs"]
mod world;

#[path = "mesh/discovery.rs"]
mod discovery;
#[path = "mesh/dispatch.rs"]
mod dispatch;
#[path = "mesh/leaving.rs"]
mod leaving;
#[path = "mesh/nest.rs"]
mod nest;
#[path = "mesh/resending.rs"]
mod resending;
#[path = "mesh/revocation.rs"]
mod revocation;
#[path = "mesh/streams.rs"]
mod streams;
#[path = "mesh/tracing.rs"]
mod tracing;
