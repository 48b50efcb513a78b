//! Queries and statements, by what they are about.

pub mod bookings;
pub mod calendars;
pub mod claims;
pub mod clinics;
pub mod holds;
pub mod offers;
pub mod pets;
pub mod privacy;
pub mod schedule;
pub mod schedule_changes;
pub mod taken;
pub mod watched;

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
