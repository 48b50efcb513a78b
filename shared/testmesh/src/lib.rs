//! A mesh for the tests of one service: a real nats-server with the permissions that the services declare, a migrated
//! database of its own, keys, streams and consumers; and those who ask, tell and listen.
//!
//! ```no_run
//! # async fn example<A: platform::App>(
//! #     service: platform::Service<A>, app: A, changed: subjects::vendor::MembershipChanged,
//! # ) {
//! use serde_json::json;
//! use testmesh::{Mesh, platform_admin};
//!
//! # let open = async |_: &platform::Setup| Ok(app);
//! let mesh = Mesh::of("catalog").with(service, open).settings("[catalog]\n").start().await;
//! // Another service's event, told as that service's relay tells it.
//! mesh.tell(&changed).await;
//! mesh.until_query("select count(*) from memberships", 1).await;
//! // A request of a user, through the edge.
//! let mut events = mesh.listen().await;
//! let category = mesh.ask("category.create", json!({ "name": "Food" })).by(&platform_admin()).under_key("k").ok().await;
//! assert_eq!(events.next("category.updated").await["categoryId"], category["id"]);
//! # }
//! ```
//!
//! Everything here fails the test that uses it, by a panic, where something does not come to be as it should. Nothing
//! of ours is replaced but whole services: a stand-in answers what another service would answer, with
//! [`MeshBuilder::with`] as well.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test, as the tests themselves do"
)]

mod ask;
mod asker;
mod builder;
mod callers;
mod database;
mod declarations;
mod events;
mod keys;
mod log;
mod mesh;
mod owned;
mod rows;
mod watched;

pub use ask::Ask;
pub use asker::{Asker, customer, platform_admin, user};
pub use builder::MeshBuilder;
pub use events::Events;
pub use mesh::Mesh;
pub use owned::Owned;
pub use testkit::personal;
pub use watched::Watched;

use std::time::Duration;

/// How long anything may take before a test fails: many tests run at a time, on machines that may be slow.
pub const PATIENCE: Duration = Duration::from_secs(60);
