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
        let mut headers = BTreeMap::from([(headers::CORRELATION_ID, meta.correlation_id.clone())]);
        if let Some(traceparent) = &meta.traceparent {
            headers.insert(headers::TRACEPARENT, traceparent.clone());
        }
        if let Some(cause) = meta.cause {
            headers.insert(headers::CAUSE, cause.to_string());
        }
        Origin { headers }
    }
}

/// An event on its way into the table; the field names are the columns.
#[derive(Debug, Serialize)]
pub(crate) struct OutboxRow {
    id: Uuid,
    r#type: &'static str,
    aggregate_id: Uuid,
    version: i64,
    partition: u8,
    headers: BTreeMap<&'static str, String>,
    body: serde_json::Value,
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
            headers: origin.headers.clone(),
            body: serde_json::to_value(event)?,
        })
    }
}

const INSERT_EVENTS: &str = "insert into outbox (id, type, aggregate_id, version, partition, headers, body) \
     select id, type, aggregate_id, version, partition, headers, body \
     from jsonb_to_recordset($1) as told(id uuid, type text, aggregate_id uuid, version bigint, partition smallint, \
     headers jsonb, body jsonb)";

/// The answer stands only where all events do.
const INSERT_ANSWER: &str = "insert into idempotency_keys (scope, subject, key, body_hash, status, reply) \
     select $2, $3, $4, $5::bytea, 'replied', $6::jsonb where (select count(*) from told) = $7";

/// A statement, and how many rows it must write.
pub(crate) struct Flush {
    pub statement: Statement,
    pub rows: u64,
}

/// The one statement that writes what a transaction has gathered. None: nothing.
pub(crate) fn flush(events: &[OutboxRow], answer: Option<&Answer>) -> Result<Option<Flush>, serde_json::Error> {
    let count = events.len();
    let events = Value::from(serde_json::to_value(events)?);
    let (sql, values, rows) = match answer {
        None if count == 0 => return Ok(None),
        None => (INSERT_EVENTS.to_owned(), vec![events], count),
        Some(answer) => {
            let mut values = vec![events];
            values.extend(answer.values());
            values.push(Value::from(i64::try_from(count).unwrap_or(i64::MAX)));
            (format!("with told as ({INSERT_EVENTS} returning id) {INSERT_ANSWER}"), values, 1)
        }
    };
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Ok(Some(Flush { statement, rows: u64::try_from(rows).unwrap_or(u64::MAX) }))
}
