//! Rows that have outlived their use.

use crate::store::HasStore;
use platform::Run;
use sea_orm::ConnectionTrait as _;
use std::time::Duration;

/// How often rows are looked over.
const EVERY: Duration = Duration::from_secs(3600);

/// Each with how long its rows are of use: an answer for as long as a client may repeat its request; an inbox row for
/// longer than anything could bring its event back; a published event for as long as it may have to be published anew.
const STATEMENTS: [&str; 3] = [
    "delete from idempotency_keys where created_at < now() - interval '24 hours'",
    "delete from inbox where handled_at < now() - interval '35 days'",
    "delete from outbox where published_at < now() - interval '7 days'",
];

/// The background task that removes them, hourly.
pub async fn cleanup<A: HasStore>(run: Run<A>) {
    loop {
        for statement in STATEMENTS {
            if let Err(error) = run.app.store().read().execute_unprepared(statement).await {
                tracing::warn!(service = A::NAME, error = %error, "old rows were not removed");
            }
        }
        tokio::select! {
            () = run.shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
