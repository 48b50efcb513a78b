//! Drops rows whose time is over. Every replica does it; what one has dropped the others do not find.

use crate::error::Error;
use crate::store::Store;
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use std::time::Duration;
use tokio::time::sleep;

const PAUSE: Duration = Duration::from_secs(3600);
/// How many rows a statement drops at the most, so that none runs long.
const BATCH: u64 = 5_000;

/// What is dropped. Idempotency keys live a day. Outbox rows are kept for a week after their acknowledgement, in case
/// JetStream forgets them. Inbox rows outlive all that could bring an event back: the stream's age, the outbox after
/// it, the longest park, and a week.
const OVER: [(&str, &str); 3] = [
    ("idempotency_keys", "created_at < now() - interval '24 hours'"),
    ("outbox", "published_at < now() - interval '7 days'"),
    ("inbox", "handled_at < now() - interval '35 days'"),
];

pub(crate) async fn clean_for_ever(store: &Store) {
    loop {
        // Replicas that start together do not clean together.
        sleep(PAUSE.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
        for (table, is_over) in OVER {
            if let Err(error) = delete_in_batches(store.read(), table, is_over, &[]).await {
                let error = &error as &dyn std::error::Error;
                let service = store.inner().service;
                tracing::warn!(service, table, error, "cleaning up failed and will be tried again");
            }
        }
    }
}

/// Deletes all rows of `table` that meet `condition`, and answers how many, in statements of some thousand rows each,
/// so that none runs long or holds many locks. Give it a pool or connection, not a transaction. The condition is SQL
/// over the table's columns, with `$1` and so on for `values`.
///
/// # Errors
/// The database fails; what was deleted until then stays deleted.
pub async fn delete_in_batches(
    db: &impl ConnectionTrait,
    table: &'static str,
    condition: &'static str,
    values: &[Value],
) -> Result<u64, Error> {
    // The condition stands there twice because the inner one is not looked at again for a row that somebody changed
    // while the statement waited for it.
    let sql = format!(
        "delete from {table} where ctid = any(array(select ctid from {table} where {condition} limit {BATCH})) \
         and ({condition})"
    );
    let mut deleted = 0;
    loop {
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, &sql, values.to_vec());
        let batch = db.execute_raw(statement).await?.rows_affected();
        deleted += batch;
        if batch < BATCH {
            return Ok(deleted);
        }
    }
}
