//! Rows of the inbox: what a handler has dealt with.

use super::incoming::Incoming;
use crate::error::Error;
use crate::planted::{self, Planted};
use crate::query::{id_list, statement};
use crate::tx::Tx;
use sea_orm::ConnectionTrait;
use std::collections::HashSet;
use uuid::Uuid;

const LOCK_AGGREGATES: &str = "\
    select pg_advisory_xact_lock(key) from (
        select distinct hashtextextended('dead letters of ' || $1 || ' ' || aggregate_id, 0) as key
        from unnest(string_to_array($2, ',')) as aggregate_id
        order by key
    ) as keys";

/// No row: this handler has had the event.
const ENTER: &str = "insert into inbox (handler, event_id) values ($1, $2) on conflict do nothing";

/// Likewise, once the aggregate's lock is had: it is what the row is made from.
const ENTER_IN_ORDER: &str = "\
    insert into inbox (handler, event_id)
    select $1, $2 from (
        select pg_advisory_xact_lock(hashtextextended('dead letters of ' || $1 || ' ' || $3, 0))
    ) as locked
    on conflict do nothing";

/// In the order of the list, in which all who enter several events take their locks.
const ENTER_ALL: &str = "\
    insert into inbox (handler, event_id)
    select $1, event_id from unnest(string_to_array($2, ',')::uuid[]) with ordinality as listed (event_id, number)
    order by number
    on conflict do nothing returning event_id";

const LEAVE: &str = "delete from inbox where handler = $1 and event_id = any(string_to_array($2, ',')::uuid[])";

const HAD: &str = "select event_id from inbox where handler = $1 and event_id = any(string_to_array($2, ',')::uuid[])";

/// False: it is there already. While another replica's transaction has the same event, this waits for its end. Where an
/// aggregate is given, its lock is taken first; see [`lock_aggregates`].
pub(super) async fn enter(tx: &Tx, handler: &str, incoming: &Incoming, in_order: Option<Uuid>) -> Result<bool, Error> {
    let entering = match in_order {
        None => statement(ENTER, vec![handler.into(), incoming.event_id.into()]),
        Some(aggregate_id) => {
            let values = vec![handler.into(), incoming.event_id.into(), aggregate_id.to_string().into()];
            statement(ENTER_IN_ORDER, values)
        }
    };
    let entered = tx.execute_raw(entering).await?.rows_affected() == 1;
    Ok(entered || planted::hits(Planted::IgnoreInbox, incoming.event_id))
}

/// Those that were not there.
pub(super) async fn enter_all(tx: &Tx, handler: &str, event_ids: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
    let entering = statement(ENTER_ALL, vec![handler.into(), id_list(event_ids).into()]);
    let rows = tx.query_all_raw(entering).await?;
    let mut entered = HashSet::with_capacity(rows.len());
    for row in rows {
        entered.insert(row.try_get("", "event_id")?);
    }
    entered.extend(event_ids.iter().filter(|id| planted::hits(Planted::IgnoreInbox, **id)));
    Ok(entered)
}

/// Takes back that events were entered, in the transaction that has entered them.
pub(super) async fn leave(tx: &Tx, handler: &str, event_ids: &[Uuid]) -> Result<(), Error> {
    tx.execute_raw(statement(LEAVE, vec![handler.into(), id_list(event_ids).into()])).await?;
    Ok(())
}

/// Those of the events that the handler has dealt with.
pub(super) async fn had(
    database: &impl ConnectionTrait,
    handler: &str,
    event_ids: &[Uuid],
) -> Result<HashSet<Uuid>, Error> {
    let rows = database.query_all_raw(statement(HAD, vec![handler.into(), id_list(event_ids).into()])).await?;
    let mut had = HashSet::with_capacity(rows.len());
    for row in rows {
        had.insert(row.try_get("", "event_id")?);
    }
    Ok(had)
}

/// Whoever deals with an aggregate's events in their order, parks one or replays one, holds its lock until the end of the
/// transaction. Locks of several are taken in an order that is the same for all who do so.
pub(crate) async fn lock_aggregates(tx: &Tx, handler: &str, aggregate_ids: &HashSet<Uuid>) -> Result<(), Error> {
    let ids = id_list(aggregate_ids);
    tx.execute_raw(statement(LOCK_AGGREGATES, vec![handler.into(), ids.into()])).await?;
    Ok(())
}
