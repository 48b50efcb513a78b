//! The catalog service: products and their categories, how they are found, and how much of each is in stock.

mod app;
mod read_models;

pub use app::{CatalogApp, CatalogConfig, app};

use platform::Service;

/// A request's context in this service.
#[allow(dead_code, reason = "its handlers come next")]
type Cx = platform::Cx<CatalogApp>;

/// What the service answers, consumes and does by itself.
pub fn service() -> Service<CatalogApp> {
    Service::new()
        .consume(store::work("membership_changed", read_models::membership_changed))
        .consume(store::work("membership_revoked", read_models::membership_revoked))
        .publishes_events()
        .background("relay", store::relay())
}
