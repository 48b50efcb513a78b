//! Rows of the outbox.

use crate::idempotency::Answer;
use platform::{Meta, headers};
use sea_orm::{DbBackend, Statement, Value};
use serde::Serialize;
use std::collections::BTreeMap;
use subjects::{Event, event};
use uuid::Uuid;

/// What events take over from the work that tells them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    headers: BTreeMap<&'static str, String>,
}

impl Origin {
    pub(crate) fn of(meta: &Meta) -> Origin {
        let mut headers = BTreeMap::from([
            (headers::CORRELATION_ID, meta.correlation_id.clone()),
            (headers::ORIGIN, meta.subject.clone()),
        ]);
        if let Some(traceparent) = &meta.traceparent {
            headers.insert(headers::TRACEPARENT, traceparent.clone());
        }
        if let Some(cause) = meta.cause {
            headers.insert(headers::CAUSE, cause.to_string());
        }
        Origin { headers }
    }

    /// The event that the work was caused by.
    pub(crate) fn cause(&self) -> Option<Uuid> {
        self.headers.get(headers::CAUSE).and_then(|id| id.parse().ok())
    }
}

/// An event on its way into the table; the field names are the columns. Headers and body are JSON already.
#[derive(Debug, Serialize)]
pub(crate) struct OutboxRow {
    id: Uuid,
    r#type: &'static str,
    aggregate_id: Uuid,
    version: i64,
    partition: u8,
    headers: String,
    body: String,
}

impl OutboxRow {
    pub(crate) fn new<E: Event>(event: &E, origin: &Origin) -> Result<OutboxRow, serde_json::Error> {
        let aggregate_id = event.aggregate_id();
        Ok(OutboxRow {
            id: Uuid::now_v7(),
            r#type: E::TYPE,
            aggregate_id,
            version: event.version(),
            partition: event::partition(aggregate_id),
            headers: serde_json::to_string(&origin.headers)?,
            body: serde_json::to_string(event)?,
        })
    }

    fn values(&self) -> [Value; 7] {
        let OutboxRow { id, r#type, aggregate_id, version, partition, headers, body } = self;
        [
            (*id).into(),
            (*r#type).into(),
            (*aggregate_id).into(),
            (*version).into(),
            i16::from(*partition).into(),
            headers.as_str().into(),
            body.as_str().into(),
        ]
    }
}

/// One event, which is what most transactions tell: Postgres takes it apart from parameters with far less work.
macro_rules! insert_event {
    () => {
        "insert into outbox (id, type, aggregate_id, version, partition, headers, body) \
         values ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb)"
    };
}

macro_rules! insert_events {
    () => {
        "insert into outbox (id, type, aggregate_id, version, partition, headers, body) \
         select id, type, aggregate_id, version, partition, headers::jsonb, body::jsonb \
         from jsonb_to_recordset($1::jsonb) as told(id uuid, type text, aggregate_id uuid, version bigint, \
         partition smallint, headers text, body text)"
    };
}

const EVENT: &str = insert_event!();
const EVENTS: &str = insert_events!();
const ANSWER: &str = "insert into idempotency_keys (scope, subject, key, body_hash, status, reply) \
     values ($1, $2, $3, $4, 'replied', $5::jsonb)";
// With events, the answer stands only where all of them do.
const EVENT_AND_ANSWER: &str = concat!(
    "with told as (",
    insert_event!(),
    " returning id) insert into idempotency_keys (scope, subject, key, body_hash, status, reply) \
     select $8, $9, $10, $11::bytea, 'replied', $12::jsonb from told"
);
const EVENTS_AND_ANSWER: &str = concat!(
    "with told as (",
    insert_events!(),
    " returning id) insert into idempotency_keys (scope, subject, key, body_hash, status, reply) \
     select $2, $3, $4, $5::bytea, 'replied', $6::jsonb where (select count(*) from told) = $7"
);

/// A statement, and how many rows it must write.
pub(crate) struct Flush {
    pub statement: Statement,
    pub rows: u64,
}

/// The one statement that writes what a transaction has gathered. None: nothing.
pub(crate) fn flush(events: &[OutboxRow], answer: Option<&Answer>) -> Result<Option<Flush>, serde_json::Error> {
    let count = events.len();
    let answer_values = || answer.into_iter().flat_map(Answer::values);
    let (sql, values, rows): (&str, Vec<Value>, usize) = match (events, answer) {
        ([], None) => return Ok(None),
        ([], Some(_)) => (ANSWER, answer_values().collect(), 1),
        ([event], None) => (EVENT, event.values().into(), 1),
        ([event], Some(_)) => (EVENT_AND_ANSWER, event.values().into_iter().chain(answer_values()).collect(), 1),
        (_, None) => (EVENTS, vec![serde_json::to_string(events)?.into()], count),
        (_, Some(_)) => {
            let mut values = vec![serde_json::to_string(events)?.into()];
            values.extend(answer_values());
            values.push(i64::try_from(count).unwrap_or(i64::MAX).into());
            (EVENTS_AND_ANSWER, values, 1)
        }
    };
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Ok(Some(Flush { statement, rows: u64::try_from(rows).unwrap_or(u64::MAX) }))
}
