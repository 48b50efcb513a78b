//! Publishing: all events of a batch at once, then their acknowledgements.

use super::session::{Acknowledged, Waiting};
use crate::within::within;
use anyhow::{Context as _, bail, ensure};
use async_nats::connection::State;
use async_nats::jetstream;
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::{HeaderMap, HeaderValue};
use chrono::{DateTime, SecondsFormat, Utc};
use platform::headers;
use std::str::FromStr;
use std::time::Duration;
use subjects::event;
use tokio::time::Instant;

/// How long JetStream may take to take an event, or to tell about the stream.
const TIMEOUT: Duration = Duration::from_secs(6);
/// How long it is believed that the stream is still the same one. A new one would show by places that are taken.
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
    /// Why not all are acknowledged.
    pub failure: Option<anyhow::Error>,
}

impl Publisher {
    pub(super) fn new(service: &'static str, nats: async_nats::Client, jetstream: jetstream::Context) -> Publisher {
        Publisher { service, stream: event::stream_name(service), nats, jetstream, incarnation: None }
    }

    pub(super) fn stream(&self) -> &str {
        &self.stream
    }

    pub(super) async fn publish(&self, batch: &[Waiting]) -> Outcome {
        let mut outcome = Outcome { acknowledged: Vec::with_capacity(batch.len()), failure: None };
        if self.nats.connection_state() != State::Connected {
            // A publish would be kept for later, and block once there are many.
            outcome.failure = Some(anyhow::anyhow!("NATS is away"));
            return outcome;
        }
        let mut under_way = Vec::with_capacity(batch.len());
        for event in batch {
            match self.send(event).await {
                Ok(acknowledgement) => under_way.push((event, acknowledgement)),
                // The next one may be smaller, or better formed.
                Err(error) => outcome.failure = Some(error.context(format!("event {} was not sent", event.id))),
            }
        }
        for (event, acknowledgement) in under_way {
            match self.acknowledged(event, acknowledgement).await {
                Ok(acknowledged) => outcome.acknowledged.push(acknowledged),
                Err(error) => outcome.failure = Some(error),
            }
        }
        outcome
    }

    async fn send(&self, event: &Waiting) -> anyhow::Result<PublishAckFuture> {
        let subject = event::subject(&event.event_type, event.aggregate_id);
        let headers = self.headers(event)?;
        let sending = self.jetstream.publish_with_headers(subject, headers, event.body.clone().into());
        within(TIMEOUT, sending, "sending to JetStream").await
    }

    async fn acknowledged(&self, event: &Waiting, acknowledgement: PublishAckFuture) -> anyhow::Result<Acknowledged> {
        let acknowledgement = within(TIMEOUT, acknowledgement.into_future(), "JetStream did not take an event").await?;
        ensure!(
            acknowledgement.stream == self.stream,
            "the stream {} takes {}, which belongs to {}",
            acknowledgement.stream,
            event.event_type,
            self.stream
        );
        Ok(Acknowledged { id: event.id, sequence: i64::try_from(acknowledgement.sequence)? })
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

    /// When the stream was created: one that was deleted and made again counts from one again.
    pub(super) async fn incarnation(&mut self) -> anyhow::Result<DateTime<Utc>> {
        if let Some((incarnation, seen_at)) = self.incarnation
            && seen_at.elapsed() < INCARNATION_HOLDS
        {
            return Ok(incarnation);
        }
        let stream = within(TIMEOUT, self.jetstream.get_stream(&self.stream), "looking at the stream").await?;
        let created = stream.cached_info().created;
        let Some(incarnation) = DateTime::from_timestamp(created.unix_timestamp(), created.nanosecond()) else {
            bail!("the stream's time of creation cannot be read");
        };
        self.incarnation = Some((incarnation, Instant::now()));
        Ok(incarnation)
    }

    pub(super) fn forget_incarnation(&mut self) {
        self.incarnation = None;
    }
}
