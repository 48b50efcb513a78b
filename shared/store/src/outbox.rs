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

const INSERT_ANSWER: &str = "insert into idempotency_keys (scope, subject, key, body_hash, status, reply) \
     values ($2, $3, $4, $5, 'replied', $6)";

/// The one statement that writes what a transaction has gathered. None: nothing.
pub(crate) fn flush(events: &[OutboxRow], answer: Option<&Answer>) -> Option<Statement> {
    let rows = Value::from(serde_json::to_value(events).unwrap_or_default());
    match answer {
        None if events.is_empty() => None,
        None => Some(Statement::from_sql_and_values(DbBackend::Postgres, INSERT_EVENTS, [rows])),
        Some(answer) => {
            let sql = format!("with told as ({INSERT_EVENTS}) {INSERT_ANSWER}");
            let mut values = vec![rows];
            values.extend(answer.values());
            Some(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        }
    }
}
