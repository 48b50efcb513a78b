//! An event becomes a dead letter.

use crate::error::Error;
use crate::query::{id_list, statement};
use crate::tx::Tx;
use crate::work::Incoming;
use async_nats::HeaderMap;
use sea_orm::ConnectionTrait as _;
use serde_json::{Map, Value};
use std::collections::HashSet;
use subjects::ops::DeadLetterReason;
use uuid::Uuid;

/// The error of an event that is parked behind another one.
pub(crate) const BEHIND: &str = "an earlier event of the same aggregate is a dead letter";
/// How much of an error is kept, in bytes.
const MAX_ERROR: usize = 4_000;

const INSERT: &str = "\
    insert into dead_letters (handler, event_id, event_type, aggregate_id, stream, incarnation, sequence, subject, \
        headers, body, reason, error, attempts)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    on conflict do nothing";

/// One look into the index for each aggregate, however many dead letters it has.
const WHICH_HAVE_ANY: &str = "\
    select aggregate_id from unnest(string_to_array($2, ',')::uuid[]) as listed (aggregate_id)
    where exists (
        select from dead_letters where handler = $1 and dead_letters.aggregate_id = listed.aggregate_id
    )";

/// Why an event is parked.
pub(crate) struct Parking<'a> {
    pub reason: DeadLetterReason,
    /// With its causes.
    pub error: &'a str,
    pub attempts: u32,
}

impl Parking<'static> {
    pub(crate) fn behind() -> Parking<'static> {
        Parking { reason: DeadLetterReason::Behind, error: BEHIND, attempts: 0 }
    }
}

/// Stores the dead letter.
pub(crate) async fn insert(tx: &Tx, handler: &str, incoming: &Incoming, parking: &Parking<'_>) -> Result<(), Error> {
    let Incoming { event_id, event_type, aggregate_id, place, subject, headers, body, .. } = incoming;
    let values = vec![
        handler.into(),
        (*event_id).into(),
        storable(event_type).into(),
        (*aggregate_id).into(),
        place.stream.to_string().into(),
        place.incarnation.into(),
        place.sequence.into(),
        storable(subject).into(),
        headers_as_json(headers).into(),
        body.to_vec().into(),
        parking.reason.as_str().into(),
        error_text(parking.error).into(),
        i32::try_from(parking.attempts).unwrap_or(i32::MAX).into(),
    ];
    tx.execute_raw(statement(INSERT, values)).await?;
    Ok(())
}

/// Those of the aggregates that have dead letters of a handler.
pub(crate) async fn which_have_any(
    tx: &Tx,
    handler: &str,
    aggregate_ids: &HashSet<Uuid>,
) -> Result<HashSet<Uuid>, Error> {
    let values = vec![handler.into(), id_list(aggregate_ids).into()];
    let rows = tx.query_all_raw(statement(WHICH_HAVE_ANY, values)).await?;
    let found = rows.iter().map(|row| Ok(row.try_get("", "aggregate_id")?));
    found.collect()
}

/// What is kept of an error.
pub(super) fn error_text(error: &str) -> String {
    let mut text = storable(error);
    if text.len() > MAX_ERROR {
        let end = (0..=MAX_ERROR).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Postgres keeps no U+0000.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// A header that is there several times is a list.
fn headers_as_json(headers: &HeaderMap) -> Value {
    let mut object = Map::new();
    for (name, values) in headers.iter() {
        let mut texts = values.iter().map(|value| Value::from(storable(value.as_str())));
        let value = match (texts.next(), texts.next()) {
            (Some(only), None) => only,
            (Some(first), Some(second)) => [first, second].into_iter().chain(texts).collect(),
            (None, _) => continue,
        };
        object.insert(storable(name.as_ref()), value);
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgres_cannot_keep_is_replaced() {
        assert_eq!(error_text("a\0b"), "a\u{fffd}b");
        let long = error_text(&"ü".repeat(4_000));
        assert!(long.ends_with('…') && long.len() <= MAX_ERROR + 3);
    }

    #[test]
    fn headers_that_come_several_times_are_lists() {
        let mut headers = HeaderMap::new();
        headers.insert("a", "1");
        headers.append("b", "1");
        headers.append("b", "2");
        assert_eq!(headers_as_json(&headers), serde_json::json!({ "a": "1", "b": ["1", "2"] }));
    }
}
