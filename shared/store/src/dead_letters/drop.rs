//! Dead letters, given up.

use super::selection::Selection;
use crate::error::Error;
use crate::query::Query;
use crate::store::Store;
use sea_orm::ConnectionTrait as _;
use subjects::ops::{DropDeadLetters, DropOutcome, OpsError};
use uuid::Uuid;

const LIMIT: u16 = 1_000;

/// Gives dead letters up, those that were parked first before the others: their handlers never deal with them. Each is
/// logged.
///
/// # Errors
/// The database's.
pub async fn drop_letters(store: &Store, request: &DropDeadLetters, who: &str) -> Result<DropOutcome, OpsError> {
    let DropDeadLetters { handler, event_id, event_type, why, limit } = request;
    let selection = Selection {
        handler: handler.as_deref(),
        event_id: *event_id,
        event_type: event_type.as_deref(),
        ..Selection::default()
    };
    // One that is being handled again is not there to be given up.
    let mut query = Query::new(
        "delete from dead_letters where (handler, event_id) in (select handler, event_id from dead_letters where true",
    );
    selection.narrow(&mut query);
    query.sql(" order by parked_at, handler, event_id limit ").value(i64::from(limit.unwrap_or(LIMIT)));
    query.sql(" for update skip locked) returning handler, event_id, event_type");
    let dropped = store.read().query_all_raw(query.statement()).await.map_err(Error::from)?;
    for row in &dropped {
        let handler: String = row.try_get("", "handler").map_err(Error::from)?;
        let event_id: Uuid = row.try_get("", "event_id").map_err(Error::from)?;
        let event_type: String = row.try_get("", "event_type").map_err(Error::from)?;
        tracing::warn!(handler, event.id = %event_id, event.r#type = event_type, who, why, "a dead letter was given up");
    }
    let left = selection.count(store.read()).await?;
    Ok(DropOutcome { dropped: u64::try_from(dropped.len()).unwrap_or(u64::MAX), left })
}
