//! Rows of the table.

use crate::error::Error;
use crate::work::{Incoming, Place};
use async_nats::HeaderMap;
use async_nats::header::{HeaderName, HeaderValue};
use chrono::{DateTime, Utc};
use platform::headers;
use sea_orm::QueryResult;
use serde_json::Value;
use std::collections::BTreeMap;
use std::str::FromStr as _;
use subjects::ids::EventId;
use subjects::ops::{DeadLetter, DeadLetterReason};
use uuid::Uuid;

/// All columns that [`Letter::read`] reads.
pub(super) const COLUMNS: &str = "handler, event_id, event_type, aggregate_id, stream, incarnation, sequence, subject, \
                                  headers, body, reason, error, attempts, parked_at";

pub(super) struct Letter {
    pub handler: String,
    pub event_id: Uuid,
    pub event_type: String,
    pub aggregate_id: Option<Uuid>,
    pub stream: String,
    pub incarnation: DateTime<Utc>,
    pub sequence: i64,
    pub subject: String,
    pub headers: BTreeMap<String, Vec<String>>,
    pub body: Vec<u8>,
    pub reason: DeadLetterReason,
    pub error: String,
    pub attempts: i32,
    pub parked_at: DateTime<Utc>,
}

impl Letter {
    pub(super) fn read(row: &QueryResult) -> Result<Letter, Error> {
        Ok(Letter {
            handler: row.try_get("", "handler")?,
            event_id: row.try_get("", "event_id")?,
            event_type: row.try_get("", "event_type")?,
            aggregate_id: row.try_get("", "aggregate_id")?,
            stream: row.try_get("", "stream")?,
            incarnation: row.try_get("", "incarnation")?,
            sequence: row.try_get("", "sequence")?,
            subject: row.try_get("", "subject")?,
            headers: headers_of(&row.try_get("", "headers")?),
            body: row.try_get("", "body")?,
            reason: row.try_get("", "reason")?,
            error: row.try_get("", "error")?,
            attempts: row.try_get("", "attempts")?,
            parked_at: row.try_get("", "parked_at")?,
        })
    }

    /// The event as it came. Its id is that of the dead letter, also where it had none.
    pub(super) fn incoming(&self) -> Incoming {
        let place =
            Place { stream: self.stream.as_str().into(), incarnation: self.incarnation, sequence: self.sequence };
        let (subject, body) = (self.subject.clone(), self.body.clone().into());
        let mut incoming = Incoming::new(place, self.parked_at, subject, self.header_map(), body);
        incoming.event_id = self.event_id;
        incoming
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        named.and_then(|(_, values)| values.first()).map(String::as_str)
    }

    /// Without what no header can be.
    pub(super) fn header_map(&self) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, values) in &self.headers {
            let Ok(name) = HeaderName::from_str(name) else { continue };
            for value in values {
                if let Ok(value) = HeaderValue::from_str(value) {
                    map.append(name.clone(), value);
                }
            }
        }
        map
    }

    pub(super) fn told(&self, service: &str) -> DeadLetter {
        DeadLetter {
            service: service.to_owned(),
            handler: self.handler.clone(),
            event_id: EventId(self.event_id),
            event_type: self.event_type.clone(),
            aggregate_id: self.aggregate_id,
            reason: self.reason,
            error: self.error.clone(),
            attempts: self.attempts,
            parked_at: self.parked_at,
            correlation_id: self.header(headers::CORRELATION_ID).map(str::to_owned),
            traceparent: self.header(headers::TRACEPARENT).map(str::to_owned),
        }
    }
}

pub(super) fn headers_of(json: &Value) -> BTreeMap<String, Vec<String>> {
    let Some(object) = json.as_object() else { return BTreeMap::new() };
    let texts = |value: &Value| match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        other => other.as_str().map(str::to_owned).into_iter().collect(),
    };
    object.iter().map(|(name, value)| (name.clone(), texts(value))).collect()
}
