//! Makes the days that rows are told on, and drops rows whose time is over. Every replica does it; what one has done the
//! others do not find.

use crate::audit::AuditConfig;
use crate::begin::begin;
use crate::error::Error;
use crate::store::Store;
use sea_orm::{ConnectionTrait, DbBackend, Statement, Value};
use std::time::Duration;
use tokio::time::sleep;

const PAUSE: Duration = Duration::from_secs(3600);
/// How long it takes until it is tried again to make days.
const RETRY_PAUSE: Duration = Duration::from_secs(30);
/// How many rows a statement drops at the most, so that none runs long.
const BATCH: u64 = 5_000;
/// How many days there are partitions for, beside today.
const DAYS_AHEAD: i32 = 8;

/// Idempotency keys live a day. Outbox rows are kept for a week after their acknowledgement, in case JetStream forgets
/// them. Inbox rows outlive all that could bring an event back: the stream's age, the outbox after it, the longest park,
/// and a week. Both are dropped by the day; here is what belongs to no day.
const OVER: [(&str, &str); 3] = [
    ("idempotency_keys", "created_at < now() - interval '24 hours'"),
    ("outbox_other_days", "published_at < now() - interval '7 days'"),
    (
        "inbox_other_days",
        "handled_at < now() - interval '35 days' \
         and not exists (select from dead_letters where dead_letters.event_id = inbox_other_days.event_id)",
    ),
];

pub(crate) async fn clean_for_ever(store: &Store) {
    let service = store.inner().service;
    loop {
        while let Err(error) = make_days(store).await {
            tracing::warn!(service, error = %error, "no days could be made for outbox and inbox, it will be tried again");
            sleep(RETRY_PAUSE).await;
        }
        // Replicas that start together do not clean together.
        sleep(PAUSE.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
        for (table, is_over) in OVER {
            if let Err(error) = delete_in_batches(store.read(), table, is_over, &[]).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(service, table, error, "cleaning up failed and will be tried again");
            }
        }
        if let Err(error) = drop_audit_entries(store).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(service, error, "old entries of the audit log could not be dropped, it will be tried again");
        }
        if let Err(error) = drop_days(store).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(service, error, "dropping days failed and will be tried again");
        }
    }
}

async fn make_days(store: &Store) -> Result<(), Error> {
    let made = number(store.read(), &format!("select make_event_days({DAYS_AHEAD}) as number")).await?;
    if made > 0 {
        tracing::debug!(service = store.inner().service, made, "made days for outbox and inbox");
    }
    Ok(())
}

/// Each in a transaction of its own, so that locks are held for one only.
async fn drop_days(store: &Store) -> Result<(), Error> {
    loop {
        let transaction = begin(store.read()).await?;
        // It looks through all rows of a day before it drops it.
        transaction.execute_unprepared("set local statement_timeout = '2min'").await?;
        let dropped = number(&transaction, "select drop_event_days() as number").await?;
        transaction.commit().await?;
        if dropped == 0 {
            return Ok(());
        }
        tracing::debug!(service = store.inner().service, "dropped a day of outbox or inbox");
    }
}

/// Some thousand at a time.
async fn drop_audit_entries(store: &Store) -> Result<(), Error> {
    let Some(AuditConfig { keep_days }) = store.inner().audit.get() else { return Ok(()) };
    loop {
        let dropped = number(store.read(), &format!("select drop_audit_entries({keep_days}) as number")).await?;
        if dropped == 0 {
            return Ok(());
        }
        tracing::info!(service = store.inner().service, dropped, "dropped old entries of the audit log");
    }
}

async fn number(db: &impl ConnectionTrait, sql: &str) -> Result<i32, Error> {
    let row = db.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get("", "number"))?)
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
