//! The profile service: people, their addresses and preferences, their pets and the pets' records; and the export and
//! erasure of a person's data.

mod app;
mod read_models;

pub use app::{ProfileApp, ProfileConfig, app};

use platform::Service;

/// A request's context in this service.
#[allow(dead_code, reason = "its handlers come next")]
type Cx = platform::Cx<ProfileApp>;

/// What the service answers, consumes and does by itself.
pub fn service() -> Service<ProfileApp> {
    Service::new()
        .consume(store::work("membership_changed", read_models::membership_changed))
        .consume(store::work("membership_revoked", read_models::membership_revoked))
        .publishes_events()
        .background("relay", store::relay())
}
