//! Looking at rows, and changing them as nobody else can.

use crate::{Mesh, PATIENCE};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How often a query is asked again whose answer is awaited.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The administrator runs all of this; a table without a schema is one of the service that is tested.
impl Mesh {
    /// The administrator's connections, for transactions that a test holds open.
    pub fn database(&self) -> &DatabaseConnection {
        &self.database
    }

    /// Runs SQL and answers how many rows it touched.
    pub async fn execute(&self, sql: &str) -> u64 {
        self.database.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}")).rows_affected()
    }

    /// The one value that a query gives, as text; an empty text for no row or null.
    pub async fn query(&self, sql: &str) -> String {
        let as_text = format!("select answer.value::text from ({sql}) as answer(value)");
        let statement = Statement::from_string(DbBackend::Postgres, as_text);
        let row = self.database.query_one_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let value = row.and_then(|row| row.try_get_by_index::<Option<String>>(0).unwrap());
        value.unwrap_or_default()
    }

    /// The one whole number that a query gives.
    pub async fn number(&self, sql: &str) -> i64 {
        let found = self.query(sql).await;
        found.parse().unwrap_or_else(|_| panic!("{sql}: `{found}` is no number"))
    }

    /// Waits until a query gives a value, written as text.
    pub async fn until_query(&self, sql: &str, expected: impl ToString) {
        let expected = expected.to_string();
        let mut found = String::new();
        let as_expected = async {
            loop {
                found = self.query(sql).await;
                if found == expected {
                    return;
                }
                sleep(LOOK_EVERY).await;
            }
        };
        let waited = timeout(PATIENCE, as_expected).await;
        assert!(waited.is_ok(), "still `{found}` instead of `{expected}`: {sql}");
    }

    /// Waits until the service that is tested has published all events that it has to tell.
    pub async fn until_outbox_is_empty(&self) {
        self.until_query("select count(*) from outbox where published_at is null", 0).await;
    }

    /// How many events of a type the service that is tested has told, all of them published.
    pub async fn told(&self, event_type: &str) -> i64 {
        self.until_outbox_is_empty().await;
        self.number(&format!("select count(*) from outbox where type = '{event_type}'")).await
    }

    /// Every row of the tables of the service that is tested, one a line, each with its table's name before it.
    pub async fn all_rows(&self) -> String {
        let tables = format!(
            "select string_agg(format('select %L || t::text as t from %I as t', table_name, table_name), ' union all ') \
             from information_schema.tables where table_schema = '{}' and table_type = 'BASE TABLE'",
            self.tested
        );
        let of_each_table = self.query(&tables).await;
        self.query(&format!("select string_agg(t, E'\\n' order by t) from ({of_each_table}) as rows")).await
    }

    /// Every row but those of the outbox, where the relay writes on its own, and how many of these there are. What the
    /// audit log keeps of refusals is none of a service's own.
    pub async fn own_rows(&self) -> String {
        let rows = self.all_rows().await;
        let without_audit = rows.lines().filter(|row| !row.starts_with("audit_entries"));
        let (events, own): (Vec<&str>, Vec<&str>) = without_audit.partition(|row| row.starts_with("outbox"));
        format!("{} events\n{}", events.len(), own.join("\n"))
    }
}
