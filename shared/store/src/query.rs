//! A hand-written query whose conditions depend on the question.

use sea_orm::{DbBackend, Statement, Value};
use std::fmt::Write as _;

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
