//! The rules, without a database.

pub mod attributes;
pub mod facets;
pub mod ledger;
pub mod product_content;
pub mod reservation;
pub mod spelling;
pub mod stock;
pub mod tree;
pub mod variants;
pub mod words;
