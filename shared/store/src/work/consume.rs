//! A consumer from start to shutdown: it opens, works until something breaks, and opens again.

use super::answer::Delivery;
use super::companions;
use super::failure::Failures;
use super::handler::{Handler, Registration};
use super::incoming::{Incoming, Origins};
use super::{in_order, parallel};
use crate::store::Store;
use crate::within::within;
use anyhow::{Context as _, anyhow};
use async_nats::jetstream::consumer::{PullConsumer, pull};
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use platform::ConsumerDeclaration;
use std::sync::Arc;
use std::time::Duration;
use subjects::ops::DeadLetterReason;
use tokio_util::sync::CancellationToken;

/// How long JetStream may take to show a consumer.
pub(super) const OPEN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a pull waits for events.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
/// Likewise of an ordered consumer: whoever is pinned has to ask again well before that ends.
const ORDERED_EXPIRES: Duration = Duration::from_secs(4);
/// How often JetStream says that a pull still waits. After twice as much silence it is taken for lost, which pulls are from
/// time to time also where nothing fails.
const HEARTBEAT: Duration = Duration::from_millis(1_500);
/// On events of a pinned consumer.
const PIN: &str = "Nats-Pin-Id";
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// A consumer at work.
pub(super) struct Consumer {
    pub store: Store,
    pub handler: Handler,
    pub shutdown: CancellationToken,
    pub failures: Failures,
    pub origins: Origins,
}

/// What JetStream gives a consumer.
pub(super) struct Opened {
    pub messages: pull::Stream,
    pub consumer: PullConsumer,
    /// By which JetStream knows this replica while it is the one that is given an ordered consumer's events.
    pub pin: Option<String>,
    stream: Arc<str>,
    incarnation: DateTime<Utc>,
}

impl Consumer {
    pub(super) fn new(store: Store, handler: Handler, shutdown: CancellationToken) -> Consumer {
        let origins = Origins::of(&handler.declaration);
        Consumer { store, handler, shutdown, failures: Failures::default(), origins }
    }

    /// Consumes until shutdown, also while the consumer is not there yet, is paused, or NATS is away.
    pub(super) async fn run(self) {
        let _registration = Registration::of(&self.store, &self.handler);
        companions::ensure_running(&self);
        let durable = self.handler.declaration.durable_name();
        let mut failures: u32 = 0;
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = self.store.inner().handlers.pauses.until_running(self.handler.name()) => {}
            }
            let before = tokio::time::Instant::now();
            let Err(error) = self.consume_until_it_breaks(&durable).await else { continue };
            // What has worked for a while and then breaks is a new failure.
            failures = if before.elapsed() > MAX_PAUSE { 1 } else { failures.saturating_add(1) };
            let error = format!("{error:#}");
            if failures == 1 {
                tracing::warn!(consumer.name = durable, error, "events cannot be had right now, trying again");
            } else {
                tracing::debug!(consumer.name = durable, error, "events cannot be had yet");
            }
            let longest = FIRST_PAUSE.saturating_mul(1 << failures.min(5)).min(MAX_PAUSE);
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = tokio::time::sleep(longest.mul_f64(0.5 + rand::random::<f64>() / 2.0)) => {}
            }
        }
    }

    /// Ends with `Ok` at shutdown or when it is paused, when what had begun is done.
    async fn consume_until_it_breaks(&self, durable: &str) -> anyhow::Result<()> {
        let mut opened = tokio::select! {
            () = self.is_to_stop() => return Ok(()),
            opened = self.open(durable) => opened?,
        };
        tracing::debug!(consumer.name = durable, "consuming");
        if self.handler.declaration.ordered {
            in_order::consume(self, &mut opened).await
        } else {
            parallel::consume(self, &mut opened).await
        }
    }

    async fn open(&self, durable: &str) -> anyhow::Result<Opened> {
        let (jetstream, stream) = (&self.handler.jetstream, self.handler.declaration.stream());
        let info = within(OPEN_TIMEOUT, jetstream.get_stream(&stream), "looking for the stream").await?;
        let created = info.cached_info().created;
        let incarnation = DateTime::from_timestamp(created.unix_timestamp(), created.nanosecond())
            .context("the stream's time of creation cannot be read")?;
        let asking = jetstream.get_consumer_from_stream(durable, &stream);
        let consumer: PullConsumer = within(OPEN_TIMEOUT, asking, "looking for the consumer").await?;
        let pulling = consumer.stream().max_messages_per_batch(parallel::WAITING);
        let pulling = if self.handler.declaration.ordered {
            let group = ConsumerDeclaration::ORDERED_GROUP;
            pulling.group(group).expires(ORDERED_EXPIRES)
        } else {
            pulling.expires(PULL_EXPIRES)
        };
        let pulling = pulling.heartbeat(HEARTBEAT);
        let messages = within(OPEN_TIMEOUT, pulling.messages(), "asking the consumer for events").await?;
        Ok(Opened { messages, consumer, pin: None, stream: stream.into(), incarnation })
    }

    /// Returns when the service leaves or the handler is paused.
    pub(super) async fn is_to_stop(&self) {
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = self.store.inner().handlers.pauses.until_paused(self.handler.name()) => {}
        }
    }

    /// How often JetStream is told that an event is still being handled.
    pub(super) fn progress_every(&self) -> Duration {
        self.handler.declaration.ack_wait() / 3
    }

    pub(super) fn span(&self, incoming: &Incoming) -> tracing::Span {
        tracing::info_span!(
            "event",
            correlation.id = incoming.header(platform::headers::CORRELATION_ID),
            event.id = %incoming.event_id,
            event.r#type = incoming.event_type,
            handler = self.handler.name(),
        )
    }

    pub(super) fn count(&self, outcome: &str) {
        self.count_many(outcome, 1);
    }

    pub(super) fn count_many(&self, outcome: &str, events: usize) {
        let counter = &self.store.inner().metrics.consumers.events;
        let events = u64::try_from(events).unwrap_or(u64::MAX);
        counter.with_label_values(&[self.handler.name(), outcome]).inc_by(events);
    }

    /// An event has become a dead letter.
    pub(super) fn parked(&self, incoming: &Incoming, reason: DeadLetterReason, error: &str) {
        let inner = self.store.inner();
        let reason = reason.as_str();
        inner.metrics.consumers.parked.with_label_values(&[self.handler.name(), reason]).inc();
        inner.handlers.parked.notify_one();
        tracing::error!(
            handler = self.handler.name(),
            event.id = %incoming.event_id,
            event.r#type = incoming.event_type,
            reason,
            error,
            "an event is a dead letter"
        );
    }
}

/// The next event. Whoever does not wait for it to the end has lost none.
pub(super) async fn receive(opened: &mut Opened) -> anyhow::Result<Delivery> {
    let message = opened.messages.next().await.ok_or_else(|| anyhow!("the subscription has ended"))??;
    let incoming = Incoming::of(&message, &opened.stream, opened.incarnation)?;
    if let Some(pin) = incoming.header(PIN)
        && opened.pin.as_deref() != Some(pin)
    {
        opened.pin = Some(pin.to_owned());
    }
    Delivery::new(incoming, message)
}
