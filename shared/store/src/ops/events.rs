//! Single events, what became of them, and what belongs to one request.

use crate::dead_letters;
use crate::error::Error;
use crate::query::{id_list, statement};
use crate::relay;
use crate::store::{HasStore, Store};
use platform::Cx;
use sea_orm::ConnectionTrait as _;
use subjects::ids::EventId;
use subjects::ops::{
    EventDetails, EventEffects, FindEvent, FindEventEffects, FindLineage, HandledEvent, Lineage, OpsError,
};
use uuid::Uuid;

/// How many events of a request are told when nobody says how many.
const LINEAGE_LIMIT: u16 = 200;
/// The handlers stand first in the index, so they are named: no partition is read through.
const HANDLED: &str = "select event_id, handler, handled_at from inbox \
     where handler = any(string_to_array($1, ',')) and event_id = any(string_to_array($2, ',')::uuid[]) \
     order by handled_at, handler";

pub(super) async fn find_one<A: HasStore>(cx: Cx<A>, request: FindEvent) -> Result<EventDetails, OpsError> {
    let (store, id) = (cx.app.store(), request.id);
    let told = relay::find_event(store, id.0).await?;
    let EventEffects { handled, dead_letters } = effects_of(store, &[id]).await?;
    if told.is_none() && handled.is_empty() && dead_letters.is_empty() {
        return Err(OpsError::EventNotFound);
    }
    Ok(EventDetails { id, told, handled_by: handled, dead_letters })
}

pub(super) async fn effects<A: HasStore>(cx: Cx<A>, request: FindEventEffects) -> Result<EventEffects, OpsError> {
    effects_of(cx.app.store(), &request.ids).await
}

pub(super) async fn lineage<A: HasStore>(cx: Cx<A>, request: FindLineage) -> Result<Lineage, OpsError> {
    let limit = request.limit.unwrap_or(LINEAGE_LIMIT);
    Ok(relay::find_by_correlation(cx.app.store(), &request.correlation_id, limit).await?)
}

async fn effects_of(store: &Store, ids: &[EventId]) -> Result<EventEffects, OpsError> {
    let dead_letters = dead_letters::of_events(store, ids).await?;
    Ok(EventEffects { handled: handled(store, ids).await?, dead_letters })
}

async fn handled(store: &Store, ids: &[EventId]) -> Result<Vec<HandledEvent>, Error> {
    let handlers: Vec<&str> = store.inner().handlers.all().iter().map(|handler| handler.name()).collect();
    let values = vec![handlers.join(",").into(), id_list(ids).into()];
    let rows = store.read().query_all_raw(statement(HANDLED, values)).await?;
    let read = rows.iter().map(|row| {
        Ok(HandledEvent {
            event_id: EventId(row.try_get::<Uuid>("", "event_id")?),
            handler: row.try_get("", "handler")?,
            handled_at: row.try_get("", "handled_at")?,
        })
    });
    read.collect()
}
