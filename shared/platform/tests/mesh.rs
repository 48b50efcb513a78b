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

#[path = "mesh/breaking.rs"]
mod breaking;
#[path = "mesh/cluster.rs"]
mod cluster;
#[path = "mesh/discovery.rs"]
mod discovery;
#[path = "mesh/dispatch.rs"]
mod dispatch;
#[path = "mesh/ejecting.rs"]
mod ejecting;
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
#[path = "mesh/streams_asked_plainly.rs"]
mod streams_asked_plainly;
#[path = "mesh/streams_audited.rs"]
mod streams_audited;
#[path = "mesh/streams_in_trouble.rs"]
mod streams_in_trouble;
#[path = "mesh/streams_toy.rs"]
mod streams_toy;
#[path = "mesh/tls.rs"]
mod tls;
#[path = "mesh/tls_renewed.rs"]
mod tls_renewed;
#[path = "mesh/tracing.rs"]
mod tracing;
#[path = "mesh/versions.rs"]
mod versions;
