//! The catalog service over a real nats-server and Postgres, with the permissions and the role that it has in production,
//! asked as the edge and as other services ask it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test, as the tests themselves do"
)]

#[path = "service/selling.rs"]
mod selling;
#[path = "service/stock.rs"]
mod stock;
#[path = "service/world.rs"]
mod world;

#[path = "service/categories.rs"]
mod categories;
#[path = "service/inventory.rs"]
mod inventory;
#[path = "service/product_availability.rs"]
mod product_availability;
#[path = "service/product_limits.rs"]
mod product_limits;
#[path = "service/products.rs"]
mod products;
#[path = "service/read_models.rs"]
mod read_models;
#[path = "service/rebuilding.rs"]
mod rebuilding;
#[path = "service/reservations.rs"]
mod reservations;
#[path = "service/search.rs"]
mod search;
#[path = "service/search_plans.rs"]
mod search_plans;
#[path = "service/stock_access.rs"]
mod stock_access;
#[path = "service/stock_mixture.rs"]
mod stock_mixture;
#[path = "service/stock_races.rs"]
mod stock_races;
#[path = "service/watch.rs"]
mod watch;
