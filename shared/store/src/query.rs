//! Hand-written statements, and queries whose conditions depend on the question.

use sea_orm::{DbBackend, Statement, Value};
use std::fmt::Write as _;

/// A hand-written statement with its values.
pub fn statement(sql: &str, values: Vec<Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// Ids as one text, for `string_to_array($1, ',')::uuid[]`: the driver's own arrays are a feature that nothing else
/// needs.
pub fn id_list(ids: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let texts: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    texts.join(",")
}

/// SQL text with its values, put together piece by piece.
#[derive(Debug, Default)]
pub struct Query {
    sql: String,
    values: Vec<Value>,
}

impl Query {
    /// A query that begins with a piece of SQL.
    pub fn new(sql: &str) -> Query {
        Query { sql: sql.to_owned(), values: Vec::new() }
    }

    /// Adds a piece of SQL. It is never made from input.
    pub fn sql(&mut self, sql: &str) -> &mut Query {
        self.sql.push_str(sql);
        self
    }

    /// Adds a value as a parameter.
    pub fn value(&mut self, value: impl Into<Value>) -> &mut Query {
        self.values.push(value.into());
        // Writing to a String cannot fail.
        let _ = write!(self.sql, "${}", self.values.len());
        self
    }

    /// Adds values as parameters with commas between them.
    pub fn values(&mut self, values: impl IntoIterator<Item = impl Into<Value>>) -> &mut Query {
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.sql(", ");
            }
            self.value(value);
        }
        self
    }

    /// The finished statement.
    pub fn statement(self) -> Statement {
        Statement::from_sql_and_values(DbBackend::Postgres, self.sql, self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_in_order() {
        let mut query = Query::new("select 1 where a = ");
        query.value(7_i64).sql(" and b in (").values([1_i64, 2]).sql(")");
        let statement = query.statement();
        assert_eq!(statement.sql, "select 1 where a = $1 and b in ($2, $3)");
        assert_eq!(statement.values.map(|values| values.0.len()), Some(3));
    }
}
