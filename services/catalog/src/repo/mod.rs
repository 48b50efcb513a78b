//! Queries and statements, by what they are about.

pub mod categories;
pub mod facets;
pub mod inventory;
pub mod ledger;
pub mod product_search;
pub mod product_stock;
pub mod product_upkeep;
pub mod product_writes;
pub mod products;
pub mod reservations;
pub mod search_order;
pub mod search_scope;
pub mod search_words;
pub mod stock_movements;
pub mod stock_variants;
pub mod vendors;
