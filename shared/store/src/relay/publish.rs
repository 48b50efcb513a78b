//! Publishing: all events of a batch at once, then their acknowledgements.

use super::session::{Acknowledged, Waiting};
use crate::within::within;
use anyhow::{Context as _, bail, ensure};
use async_nats::connection::State;
use async_nats::jetstream;
use async_nats::jetstream::context::{PublishAckFuture, PublishError, PublishErrorKind};
use async_nats::jetstream::publish::PublishAck;
use async_nats::{HeaderMap, HeaderValue};
use chrono::{DateTime, SecondsFormat, Utc};
use futures::future::join_all;
use platform::headers;
use std::str::FromStr;
use std::time::Duration;
use subjects::event;
use tokio::time::Instant;
use uuid::Uuid;

/// How long JetStream may take to take an event, or to tell about the stream.
const TIMEOUT: Duration = Duration::from_secs(6);
/// How long it is believed that the stream is still the same one before something is published; it is looked at again
/// before that is noted.
const INCARNATION_HOLDS: Duration = Duration::from_secs(5);

/// By which JetStream knows an event that comes again.
const MESSAGE_ID: &str = "Nats-Msg-Id";

pub(super) struct Publisher {
    service: &'static str,
    stream: String,
    nats: async_nats::Client,
    jetstream: jetstream::Context,
    incarnation: Option<(DateTime<Utc>, Instant)>,
}

/// What became of a batch.
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
    pub(super) fn new(service: &'static str, nats: async_nats::Client, jetstream: jetstream::Context) -> Publisher {
        Publisher { service, stream: event::stream_name(service), nats, jetstream, incarnation: None }
    }

    pub(super) fn stream(&self) -> &str {
        &self.stream
    }

    /// An error: nothing was tried.
    pub(super) async fn publish(&self, batch: &[Waiting]) -> anyhow::Result<Outcome> {
        // A publish would be kept for later, and block once there are many.
        self.check_connection()?;
        let mut outcome = Outcome { acknowledged: Vec::with_capacity(batch.len()), failed: Vec::new() };
        let mut under_way = Vec::with_capacity(batch.len());
        for event in batch {
            match self.send(event).await {
                Ok(acknowledgement) => {
                    under_way.push(async move { self.acknowledged(event, acknowledgement).await });
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
        Ok(outcome)
    }

    async fn send(&self, event: &Waiting) -> Result<PublishAckFuture, Failed> {
        let subject = event::subject(&event.event_type, event.aggregate_id);
        let headers = self.headers(event).map_err(|error| Failed::new(event, true, error))?;
        let sending = self.jetstream.publish_with_headers(subject, headers, event.body.clone().into());
        let sent = within(TIMEOUT, sending, "sending to JetStream").await;
        sent.map_err(|error| Failed::new(event, kind(&error) == Some(PublishErrorKind::MaxPayloadExceeded), error))
    }

    async fn acknowledged(&self, event: &Waiting, acknowledgement: PublishAckFuture) -> Result<Acknowledged, Failed> {
        let taken = within(TIMEOUT, acknowledgement.into_future(), "JetStream did not take an event").await;
        // No stream takes the subject.
        let taken =
            taken.map_err(|error| Failed::new(event, kind(&error) == Some(PublishErrorKind::StreamNotFound), error))?;
        let sequence = self.sequence(&taken).map_err(|error| Failed::new(event, true, error))?;
        Ok(Acknowledged { id: event.id, sequence })
    }

    fn sequence(&self, taken: &PublishAck) -> anyhow::Result<i64> {
        ensure!(taken.stream == self.stream, "the stream {} has taken what belongs to {}", taken.stream, self.stream);
        Ok(i64::try_from(taken.sequence)?)
    }

    fn check_connection(&self) -> anyhow::Result<()> {
        ensure!(self.nats.connection_state() == State::Connected, "NATS is away");
        Ok(())
    }

    /// CloudEvents 1.0 in the binary mode of its NATS binding, and what the mesh passes on.
    fn headers(&self, event: &Waiting) -> anyhow::Result<HeaderMap> {
        let mut map = HeaderMap::new();
        // Whatever stands in the row is checked again here: a line break in a header would be a panic.
        let mut insert = |name: &str, value: &str| -> anyhow::Result<()> {
            map.insert(name, HeaderValue::from_str(value).with_context(|| format!("header {name}"))?);
            Ok(())
        };
        for name in [headers::TRACEPARENT, headers::CORRELATION_ID, headers::CAUSE] {
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

    /// When the stream was created, as known for some seconds: one that was deleted and made again is another one, and
    /// counts from one again.
    pub(super) async fn incarnation(&mut self) -> anyhow::Result<DateTime<Utc>> {
        match self.incarnation {
            Some((incarnation, seen_at)) if seen_at.elapsed() < INCARNATION_HOLDS => Ok(incarnation),
            _ => self.incarnation_now().await,
        }
    }

    /// Likewise, looked up now.
    pub(super) async fn incarnation_now(&mut self) -> anyhow::Result<DateTime<Utc>> {
        self.incarnation = None;
        self.check_connection()?;
        let stream = within(TIMEOUT, self.jetstream.get_stream(&self.stream), "looking at the stream").await?;
        let created = stream.cached_info().created;
        let Some(incarnation) = DateTime::from_timestamp(created.unix_timestamp(), created.nanosecond()) else {
            bail!("the stream's time of creation cannot be read");
        };
        self.incarnation = Some((incarnation, Instant::now()));
        Ok(incarnation)
    }
}

fn kind(error: &anyhow::Error) -> Option<PublishErrorKind> {
    error.downcast_ref::<PublishError>().map(PublishError::kind)
}
