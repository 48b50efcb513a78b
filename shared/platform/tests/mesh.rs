//! The mesh over a real nats-server, with the permissions that the services' declarations give.

#[path = "mesh/world.rs"]
mod world;

#[path = "mesh/discovery.rs"]
mod discovery;
#[path = "mesh/dispatch.rs"]
mod dispatch;
#[path = "mesh/leaving.rs"]
mod leaving;
