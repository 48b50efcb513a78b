//! Dead letters, given up.

use super::selection::Selection;
use crate::error::Error;
use crate::query::Query;
use crate::store::HasStore;
use crate::tx::Tx;
use platform::Cx;
use sea_orm::{ConnectionTrait as _, QueryResult};
use serde_json::json;
use std::collections::BTreeSet;
use subjects::Fault;
use subjects::ops::{DropDeadLetters, DropOutcome, OpsError};
use uuid::Uuid;

const LIMIT: u16 = 1_000;

/// A dead letter that is none any more.
struct Dropped {
    handler: String,
    event_id: Uuid,
    event_type: String,
}

/// Gives dead letters up, those that were parked first before the others: their handlers never deal with them. Each is
/// logged.
///
/// # Errors
/// The database's.
pub async fn drop_letters<A: HasStore>(
    cx: &Cx<A>,
    request: &DropDeadLetters,
    who: &str,
) -> Result<DropOutcome, OpsError> {
    let DropDeadLetters { handler, event_id, event_type, why, limit } = request;
    let selection = &Selection {
        handler: handler.as_deref(),
        event_id: *event_id,
        event_type: event_type.as_deref(),
        ..Selection::default()
    };
    let limit = limit.unwrap_or(LIMIT);
    let store = cx.app.store();
    let dropped = store.write(cx, |tx| async move { drop_in_transaction(cx, &tx, selection, limit).await }).await?;
    for Dropped { handler, event_id, event_type } in &dropped {
        tracing::warn!(handler, event.id = %event_id, event.r#type = event_type, who, why, "a dead letter was given up");
    }
    let left = selection.count(store.read()).await?;
    Ok(DropOutcome { dropped: u64::try_from(dropped.len()).unwrap_or(u64::MAX), left })
}

async fn drop_in_transaction<A: HasStore>(
    cx: &Cx<A>,
    tx: &Tx,
    selection: &Selection<'_>,
    limit: u16,
) -> Result<Vec<Dropped>, Fault> {
    // One that is being handled again is not there to be given up.
    let mut query = Query::new(
        "delete from dead_letters where (handler, event_id) in (select handler, event_id from dead_letters where true",
    );
    selection.narrow(&mut query);
    query.sql(" order by parked_at, handler, event_id limit ").value(i64::from(limit));
    query.sql(" for update skip locked) returning handler, event_id, event_type");
    let rows = tx.query_all_raw(query.statement()).await.map_err(Error::from)?;
    let dropped = rows.iter().map(read).collect::<Result<Vec<Dropped>, Error>>()?;
    cx.note(|| {
        let handlers: BTreeSet<&str> = dropped.iter().map(|letter| letter.handler.as_str()).collect();
        json!({ "handlers": handlers, "dropped": dropped.len() })
    });
    Ok(dropped)
}

fn read(row: &QueryResult) -> Result<Dropped, Error> {
    Ok(Dropped {
        handler: row.try_get("", "handler")?,
        event_id: row.try_get("", "event_id")?,
        event_type: row.try_get("", "event_type")?,
    })
}
