//! The catalog service: products and their categories, how they are found, and how much of each is in stock.

mod access;
mod app;
mod convert_stock;
mod domain;
mod entity;
mod expiry;
mod handlers;
mod read_models;
mod repo;
pub mod search_plans;
pub mod seed;
mod stock_access;
mod stock_lock;
mod upkeep;

pub use app::{CatalogApp, CatalogConfig, app};

use handlers::{categories, inventory, privacy, products, reservations, search, watch};
use platform::Service;
use store::EventLog as _;
use subjects::audit::FindAuditEntriesOfCatalog;

/// A request's context in this service.
type Cx = platform::Cx<CatalogApp>;

/// What the service answers, consumes and does by itself.
pub fn service() -> Service<CatalogApp> {
    Service::new()
        .on(search::find_all)
        .on(products::find_one)
        .on(products::create)
        .on(products::update)
        .on(products::remove)
        .on(products::availability)
        .on(categories::find_all)
        .on(categories::find_one)
        .on(categories::create)
        .on(categories::update)
        .on(categories::remove)
        .on(inventory::find_all)
        .on(inventory::find_one)
        .on(inventory::create)
        .on(inventory::update)
        .on(inventory::movements)
        .on(reservations::check)
        .on(reservations::reserve)
        .on(reservations::commit)
        .on(reservations::release)
        .on(reservations::find_one)
        .on(privacy::export)
        .on(privacy::erase)
        .stream(watch::inventory)
        .consume(store::work("vendor_registered", read_models::vendor_registered))
        .consume(store::work("vendor_updated", read_models::vendor_updated))
        .consume(store::work("vendor_approved", read_models::vendor_approved))
        .consume(store::work("vendor_rejected", read_models::vendor_rejected))
        .consume(store::work("vendor_suspended", read_models::vendor_suspended))
        .consume(store::work("membership_changed", read_models::membership_changed))
        .consume(store::work("membership_revoked", read_models::membership_revoked))
        .consume(store::work("role_updated", read_models::role_updated))
        .consume(store::work("role_removed", read_models::role_removed))
        .on(store::audit::entries::<CatalogApp, FindAuditEntriesOfCatalog>)
        .event_log()
        .background("expiry", expiry::run)
        .background("upkeep", upkeep::run)
}
