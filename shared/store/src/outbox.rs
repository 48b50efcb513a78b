//! The outbox table.

use crate::error::Error;
use chrono::{DateTime, Utc};
use platform::Meta;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement};
use serde::{Deserialize, Serialize};
use subjects::{Event, event};
use uuid::Uuid;

/// What travels beside an event's body.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Headers {
    pub(crate) correlation_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) traceparent: Option<String>,
    /// The event that led to this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<Uuid>,
}

pub(crate) async fn insert<E: Event>(db: &impl ConnectionTrait, event: &E, meta: &Meta) -> Result<(), Error> {
    let headers = Headers {
        correlation_id: meta.correlation_id.clone(),
        traceparent: meta.traceparent.clone(),
        cause: meta.cause,
    };
    let aggregate_id = event.aggregate_id();
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "insert into outbox (id, type, aggregate_id, version, partition, headers, body) \
         values ($1, $2, $3, $4, $5, $6, $7)",
        [
            Uuid::now_v7().into(),
            E::TYPE.into(),
            aggregate_id.into(),
            event.version().into(),
            i16::from(event::partition(aggregate_id)).into(),
            json(&headers)?.into(),
            json(event)?.into(),
        ],
    );
    db.execute_raw(statement).await?;
    Ok(())
}

fn json(value: &impl Serialize) -> Result<serde_json::Value, Error> {
    serde_json::to_value(value).map_err(|error| Error::Unreadable(error.to_string()))
}

/// An event that waits to be published.
#[derive(Debug, FromQueryResult)]
pub(crate) struct Waiting {
    pub(crate) id: Uuid,
    pub(crate) r#type: String,
    pub(crate) aggregate_id: Uuid,
    pub(crate) headers: serde_json::Value,
    pub(crate) body: serde_json::Value,
    pub(crate) created_at: DateTime<Utc>,
}

/// The oldest unpublished events, at most one of each aggregate, so that publishing a batch at once keeps the order
/// per aggregate.
pub(crate) async fn waiting(db: &impl ConnectionTrait, limit: i64) -> Result<Vec<Waiting>, Error> {
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "select id, type, aggregate_id, headers, body, created_at from outbox as event \
         where published_at is null and not exists ( \
             select from outbox as earlier where earlier.published_at is null \
             and earlier.aggregate_id = event.aggregate_id \
             and (earlier.version, earlier.id) < (event.version, event.id)) \
         order by id limit $1",
        [limit.into()],
    );
    Ok(Waiting::find_by_statement(statement).all(db).await?)
}

/// Where JetStream keeps a published event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    pub(crate) id: Uuid,
    pub(crate) sequence: i64,
}

/// Notes events as published.
pub(crate) async fn mark_published(
    db: &impl ConnectionTrait,
    stream: &str,
    incarnation: DateTime<Utc>,
    positions: &[Position],
) -> Result<(), Error> {
    let ids: Vec<Uuid> = positions.iter().map(|position| position.id).collect();
    let sequences: Vec<i64> = positions.iter().map(|position| position.sequence).collect();
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "update outbox set published_at = clock_timestamp(), stream = $1, incarnation = $2, sequence = acked.sequence \
         from unnest($3::uuid[], $4::bigint[]) as acked (id, sequence) where outbox.id = acked.id",
        [stream.into(), incarnation.into(), ids.into(), sequences.into()],
    );
    db.execute_raw(statement).await?;
    Ok(())
}

/// How many events wait, and since when the oldest does.
#[derive(Debug, FromQueryResult)]
pub(crate) struct Backlog {
    pub(crate) waiting: i64,
    pub(crate) oldest_age_seconds: f64,
}

pub(crate) async fn backlog(db: &impl ConnectionTrait) -> Result<Backlog, Error> {
    let statement = Statement::from_string(
        DbBackend::Postgres,
        "select count(*) as waiting, \
         coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as oldest_age_seconds \
         from outbox where published_at is null",
    );
    let backlog = Backlog::find_by_statement(statement).one(db).await?;
    backlog.ok_or_else(|| Error::Unreadable("count(*) answered no row".to_owned()))
}
