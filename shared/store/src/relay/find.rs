//! Single events of the outbox, for operators.

use crate::error::Error;
use crate::query::statement;
use crate::store::Store;
use chrono::{DateTime, Utc};
use platform::headers;
use sea_orm::{ConnectionTrait as _, FromQueryResult, QueryResult};
use std::collections::BTreeMap;
use subjects::ids::EventId;
use subjects::ops::{Lineage, ToldEvent};
use uuid::Uuid;

/// The columns of an event, with the expression for its body.
macro_rules! select {
    ($body:literal, $rest:literal) => {
        concat!(
            "select id, type, aggregate_id, version, partition, created_at, published_at, stream, incarnation, sequence, ",
            "headers, ",
            $body,
            " as body from outbox ",
            $rest
        )
    };
}

const BY_ID: &str = select!("body", "where id = $1");
/// The index of each day over the header serves this.
const BY_CORRELATION: &str =
    select!("null::jsonb", "where headers ->> 'x-correlation-id' = $1 order by created_at, id limit $2");

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    r#type: String,
    aggregate_id: Uuid,
    version: i64,
    partition: i16,
    created_at: DateTime<Utc>,
    published_at: Option<DateTime<Utc>>,
    stream: Option<String>,
    incarnation: Option<DateTime<Utc>>,
    sequence: Option<i64>,
    headers: serde_json::Value,
    body: Option<serde_json::Value>,
}

/// An event that the service has told and still keeps.
pub async fn find_event(store: &Store, id: Uuid) -> Result<Option<ToldEvent>, Error> {
    let row = store.read().query_one_raw(statement(BY_ID, vec![id.into()])).await?;
    row.as_ref().map(told).transpose()
}

/// What the service has told because of one request, without the bodies, the earliest first.
pub async fn find_by_correlation(store: &Store, correlation_id: &str, limit: u16) -> Result<Lineage, Error> {
    let one_more = i64::from(limit) + 1;
    let question = statement(BY_CORRELATION, vec![correlation_id.into(), one_more.into()]);
    let rows = store.read().query_all_raw(question).await?;
    let limit = usize::from(limit);
    let events: Vec<ToldEvent> = rows.iter().take(limit).map(told).collect::<Result<_, Error>>()?;
    Ok(Lineage { events, has_more: rows.len() > limit })
}

fn told(row: &QueryResult) -> Result<ToldEvent, Error> {
    let row = Row::from_query_result(row, "")?;
    let headers: BTreeMap<String, String> = match row.headers {
        serde_json::Value::Object(headers) => headers.into_iter().filter_map(text).collect(),
        _ => BTreeMap::new(),
    };
    let header = |name: &str| headers.get(name).cloned();
    Ok(ToldEvent {
        id: EventId(row.id),
        event_type: row.r#type,
        aggregate_id: row.aggregate_id,
        version: row.version,
        partition: row.partition,
        created_at: row.created_at,
        published_at: row.published_at,
        stream: row.stream,
        incarnation: row.incarnation,
        sequence: row.sequence,
        correlation_id: header(headers::CORRELATION_ID),
        cause: header(headers::CAUSE).and_then(|id| id.parse().ok()).map(EventId),
        origin: header(headers::ORIGIN),
        headers,
        body: row.body,
    })
}

fn text((name, value): (String, serde_json::Value)) -> Option<(String, String)> {
    value.as_str().map(|value| (name, value.to_owned()))
}
