//! Drops rows whose time is over. Every replica does it; what one has dropped the others do not find.

use crate::error::Error;
use crate::store::Store;
use sea_orm::ConnectionTrait as _;
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
        if let Err(error) = clean(store).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(service = store.inner().service, error, "cleaning up failed and will be tried again");
        }
    }
}

async fn clean(store: &Store) -> Result<(), Error> {
    for (table, is_over) in OVER {
        loop {
            let sql = format!(
                "delete from {table} where ctid = any(array(select ctid from {table} where {is_over} limit {BATCH}))"
            );
            let dropped = store.read().execute_unprepared(&sql).await?.rows_affected();
            if dropped < BATCH {
                break;
            }
        }
    }
    Ok(())
}
