//! An event as it came, from a stream or from the table of dead letters.

use crate::outbox::Origin;
use async_nats::HeaderMap;
use async_nats::jetstream::Message;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use platform::{Meta, headers, trace};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use subjects::event;
use uuid::Uuid;

/// The one version of CloudEvents that is understood.
const SPECIFICATION: &str = "1.0";

/// Where an event stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub stream: Arc<str>,
    /// When that stream was made.
    pub incarnation: DateTime<Utc>,
    pub sequence: i64,
}

/// An event as it came.
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    /// Of an event without an id, one made from its place.
    pub event_id: Uuid,
    pub event_type: String,
    /// None: it does not say so.
    pub aggregate_id: Option<Uuid>,
    pub place: Place,
    pub subject: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Why it cannot be read, as far as everything but the body tells.
    pub trouble: Option<&'static str>,
}

impl Incoming {
    pub(crate) fn new(
        place: Place,
        published: DateTime<Utc>,
        subject: String,
        headers: HeaderMap,
        body: Bytes,
    ) -> Incoming {
        let header = |name: &str| headers.get(name).map(|value| value.as_str());
        let id = header("ce-id").or_else(|| header("Nats-Msg-Id"));
        let event_id: Option<Uuid> = id.and_then(|id| id.parse().ok());
        let aggregate_id = header("ce-subject").and_then(|id| id.parse().ok());
        let event_type = event::type_of_subject(&subject).unwrap_or_default().to_owned();
        let trouble = if event_id.is_none() {
            Some("the event has no id that is a UUID")
        } else if header("ce-specversion").is_some_and(|version| version != SPECIFICATION) {
            Some("the event is of another version of CloudEvents than 1.0")
        } else {
            None
        };
        let event_id = event_id.unwrap_or_else(|| id_of_place(&place, published));
        Incoming { event_id, event_type, aggregate_id, place, subject, headers, body, trouble }
    }

    /// An error: the message does not say where it stands.
    pub(super) fn of(message: &Message, stream: &Arc<str>, incarnation: DateTime<Utc>) -> anyhow::Result<Incoming> {
        let info = message.info().map_err(|error| anyhow::anyhow!("{error}"))?;
        let sequence = i64::try_from(info.stream_sequence)?;
        let published = DateTime::from_timestamp(info.published.unix_timestamp(), info.published.nanosecond());
        let place = Place { stream: stream.clone(), incarnation, sequence };
        let headers = message.headers.clone().unwrap_or_default();
        let subject = message.subject.to_string();
        Ok(Incoming::new(place, published.unwrap_or(incarnation), subject, headers, message.payload.clone()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.as_str())
    }
}

/// Of that day, so that it is kept where the day's ids are, and always the same.
fn id_of_place(place: &Place, published: DateTime<Utc>) -> Uuid {
    let Place { stream, incarnation, sequence } = place;
    let digest = Sha256::digest(format!("{stream} {} {sequence}", incarnation.timestamp_micros()));
    let random = digest.iter().take(10).fold(0_u128, |number, byte| (number << 8) | u128::from(*byte));
    let milliseconds = u128::try_from(published.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_u128((milliseconds << 80) | random).with_version(uuid::Version::Custom).into_uuid()
}

/// What the events that a handler tells take over from the one that it handles.
pub(crate) struct Origins {
    durable: String,
}

impl Origins {
    pub(crate) fn of(declaration: &platform::ConsumerDeclaration) -> Origins {
        Origins { durable: declaration.durable_name() }
    }

    pub(crate) fn meta(&self, incoming: &Incoming) -> Meta {
        let correlation_id = incoming.header(headers::CORRELATION_ID);
        let correlation_id = correlation_id.filter(|id| trace::is_safe_correlation_id(id)).map(str::to_owned);
        let traceparent = incoming.header(headers::TRACEPARENT).map(trace::child_of);
        Meta {
            correlation_id: correlation_id.unwrap_or_else(|| Uuid::now_v7().to_string()),
            traceparent: Some(traceparent.unwrap_or_else(trace::new_traceparent)),
            cause: Some(incoming.event_id),
            subject: self.durable.clone(),
            ..Meta::default()
        }
    }

    pub(crate) fn origin(&self, incoming: &Incoming) -> Origin {
        Origin::of(&self.meta(incoming))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(headers: &[(&str, &str)]) -> Incoming {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, *value);
        }
        let at = DateTime::from_timestamp(1_760_000_000, 0).unwrap();
        let place = Place { stream: "EVENTS_BOOKING".into(), incarnation: at, sequence: 7 };
        Incoming::new(place, at, "event.booking.created.3".to_owned(), map, Bytes::new())
    }

    #[test]
    fn an_event_without_an_id_gets_one_from_its_place() {
        let one = incoming(&[]);
        assert!(one.trouble.is_some());
        assert_eq!(one.event_id, incoming(&[("ce-id", "not an id")]).event_id);
        assert_eq!(one.event_id.as_u128() >> 80, 1_760_000_000_000);
        assert_eq!(one.event_id.get_version_num(), 8);
    }

    #[test]
    fn another_specification_is_not_understood() {
        let id = Uuid::now_v7().to_string();
        assert!(incoming(&[("ce-id", &id), ("ce-specversion", "2.0")]).trouble.is_some());
        let known = incoming(&[("ce-id", &id), ("ce-specversion", "1.0")]);
        assert_eq!((known.trouble, known.event_type.as_str()), (None, "booking.created"));
        assert_eq!(known.event_id.to_string(), id);
    }
}
