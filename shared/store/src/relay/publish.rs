//! Publishing: all events of a batch at once, then their acknowledgements.

use super::places::Acknowledged;
use super::stream::{MESSAGE_ID, Stream, TIMEOUT};
use super::waiting::Waiting;
use crate::planted::{self, Planted};
use crate::within::within;
use anyhow::{Context as _, ensure};
use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::publish::PublishAck;
use async_nats::{HeaderMap, HeaderValue};
use chrono::SecondsFormat;
use futures::future::join_all;
use platform::headers;
use std::str::FromStr;
use subjects::event;
use uuid::Uuid;

pub(super) struct Publisher {
    service: &'static str,
    stream_name: String,
}

/// What became of a batch.
#[derive(Default)]
pub(super) struct Outcome {
    pub acknowledged: Vec<Acknowledged>,
    pub failed: Vec<Failed>,
}

/// An event that JetStream has not taken.
pub(super) struct Failed {
    pub event: Uuid,
    pub aggregate: Uuid,
    /// It is the event's own trouble, which no other one shares, if the stream itself is there.
    pub is_its_own: bool,
    pub error: anyhow::Error,
}

impl Failed {
    fn new(event: &Waiting, is_its_own: bool, error: anyhow::Error) -> Failed {
        Failed { event: event.id, aggregate: event.aggregate_id, is_its_own, error }
    }
}

impl Publisher {
    pub(super) fn new(service: &'static str) -> Publisher {
        Publisher { service, stream_name: event::stream_name(service) }
    }

    pub(super) async fn publish(&self, stream: &Stream, batch: &[Waiting]) -> Outcome {
        let mut outcome = Outcome::default();
        let mut under_way = Vec::with_capacity(batch.len());
        for event in batch {
            if planted::hits(Planted::RelaySkipsRow, event.id) {
                outcome.acknowledged.push(Acknowledged { id: event.id, sequence: nowhere(event.id) });
                continue;
            }
            match self.send(stream, event).await {
                Ok(acknowledgement) => {
                    under_way.push(async move { self.acknowledged(stream, event, acknowledgement).await });
                }
                Err(failed) => outcome.failed.push(failed),
            }
        }
        for acknowledged in join_all(under_way).await {
            match acknowledged {
                Ok(acknowledged) => outcome.acknowledged.push(acknowledged),
                Err(failed) => outcome.failed.push(failed),
            }
        }
        outcome
    }

    async fn send(&self, stream: &Stream, event: &Waiting) -> Result<PublishAckFuture, Failed> {
        let subject = event::subject(&event.event_type, event.aggregate_id);
        let headers = self.headers(event).map_err(|error| Failed::new(event, true, error))?;
        let sending = stream.jetstream().publish_with_headers(subject, headers, event.body.clone().into());
        let sent = within(TIMEOUT, sending, "sending to JetStream").await;
        sent.map_err(|error| Failed::new(event, kind(&error) == Some(PublishErrorKind::MaxPayloadExceeded), error))
    }

    async fn acknowledged(
        &self,
        stream: &Stream,
        event: &Waiting,
        acknowledgement: PublishAckFuture,
    ) -> Result<Acknowledged, Failed> {
        let taken = within(TIMEOUT, acknowledgement.into_future(), "JetStream did not take an event").await;
        // No stream takes the subject.
        let taken =
            taken.map_err(|error| Failed::new(event, kind(&error) == Some(PublishErrorKind::StreamNotFound), error))?;
        let sequence = self.sequence(&taken).map_err(|error| Failed::new(event, true, error))?;
        if taken.duplicate {
            self.check_that_it_is_there(stream, event, sequence).await?;
        }
        Ok(Acknowledged { id: event.id, sequence })
    }

    fn sequence(&self, taken: &PublishAck) -> anyhow::Result<i64> {
        let own = &self.stream_name;
        ensure!(taken.stream == *own, "the stream {} has taken what belongs to {own}", taken.stream);
        Ok(i64::try_from(taken.sequence)?)
    }

    /// JetStream remembers message ids for two minutes, also of events that it has lost: it would not take them again
    /// until then, and says that it has them.
    async fn check_that_it_is_there(&self, stream: &Stream, event: &Waiting, sequence: i64) -> Result<(), Failed> {
        let found = stream.id_at(sequence).await.map_err(|error| Failed::new(event, false, error))?;
        if found == Some(event.id) {
            return Ok(());
        }
        let error = anyhow::anyhow!("JetStream takes it for a message that it has, and does not have it");
        Err(Failed::new(event, true, error))
    }

    /// CloudEvents 1.0 in the binary mode of its NATS binding, and what the mesh passes on.
    fn headers(&self, event: &Waiting) -> anyhow::Result<HeaderMap> {
        let mut map = HeaderMap::new();
        // Whatever stands in the row is checked again here: a line break in a header would be a panic.
        let mut insert = |name: &str, value: &str| -> anyhow::Result<()> {
            map.insert(name, HeaderValue::from_str(value).with_context(|| format!("header {name}"))?);
            Ok(())
        };
        for name in [headers::TRACEPARENT, headers::CORRELATION_ID, headers::CAUSE, headers::ORIGIN] {
            if let Some(value) = event.headers.get(name) {
                insert(name, value)?;
            }
        }
        let id = event.id.to_string();
        insert(MESSAGE_ID, &id)?;
        insert(headers::CONTENT_TYPE, "application/json")?;
        insert("ce-specversion", "1.0")?;
        insert("ce-id", &id)?;
        insert("ce-type", &event.event_type)?;
        insert("ce-source", &format!("/services/{}", self.service))?;
        insert("ce-subject", &event.aggregate_id.to_string())?;
        insert("ce-time", &event.created_at.to_rfc3339_opts(SecondsFormat::Micros, true))?;
        Ok(map)
    }
}

/// A place that no stream has, for an event that is not published by a planted mistake.
fn nowhere(event: Uuid) -> i64 {
    let (_, random_part) = event.as_u64_pair();
    -i64::try_from(random_part >> 2).unwrap_or(i64::MAX)
}

fn kind(error: &anyhow::Error) -> Option<PublishErrorKind> {
    error.downcast_ref::<PublishError>().map(PublishError::kind)
}
