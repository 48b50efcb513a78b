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
pub mod search_scope;
pub mod search_words;
pub mod stock_movements;
pub mod stock_variants;
pub mod vendors;

use sea_orm::{DbBackend, Statement, Value};

/// A hand-written statement with its values.
fn statement(sql: &str, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// Ids as one text, for `string_to_array($1, ',')::uuid[]`: the driver's own arrays are a feature that nothing else
/// needs.
fn id_list(ids: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let texts: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    texts.join(",")
}
