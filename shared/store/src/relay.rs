//! The relay: publishes what stands in the outbox, in order per aggregate, and notes where JetStream keeps it.
//!
//! One relay a service works at a time, under an advisory lock that any replica takes over when its holder is gone.

use crate::error::Error;
use crate::outbox::{self, Headers, Position, Waiting};
use crate::store::{HasStore, Store};
use anyhow::Context as _;
use async_nats::HeaderMap;
use async_nats::jetstream::context::PublishAckFuture;
use chrono::{DateTime, Utc};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use platform::permissions::relay_wake;
use platform::{Run, headers};
use prometheus::{Gauge, IntCounter, IntGauge, Opts, Registry};
use sqlx::Connection as _;
use std::time::Duration;
use subjects::event;
use tokio::time::Instant;

/// How many events are published at a time.
const BATCH: i64 = 500;
/// How often the outbox is looked at without a wake-up.
const POLL: Duration = Duration::from_secs(1);
/// How often a replica that does not relay tries to take over, and one that relays makes sure that it still may.
const LOCK_POLL: Duration = Duration::from_secs(1);
/// The longest pause after a failure.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// The advisory lock that a service's relay holds, as an argument of `pg_advisory_lock`.
pub fn relay_lock_key(service: &str) -> i64 {
    // FNV-1a, for a number that is the same in every build.
    let text = format!("petpro.relay.{service}");
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    i64::from_ne_bytes(hash.to_ne_bytes())
}

/// The background task of every service that has an outbox.
pub fn relay<A: HasStore>() -> impl Fn(Run<A>) -> BoxFuture<'static, ()> + Send + Sync + 'static {
    |run| {
        Box::pin(async move {
            match Metrics::register(&run.metrics, A::NAME) {
                Ok(metrics) => Relay { run, metrics, healthy: true }.work().await,
                Err(error) => tracing::error!(error = %error, "the relay's metrics cannot be registered"),
            }
        })
    }
}

struct Relay<A: HasStore> {
    run: Run<A>,
    metrics: Metrics,
    healthy: bool,
}

impl<A: HasStore> Relay<A> {
    async fn work(mut self) {
        let mut failures: u32 = 0;
        loop {
            let shutdown = self.run.shutdown.clone();
            let outcome = tokio::select! {
                // What is under way is taken up again by the next relay, under the same message ids.
                () = shutdown.cancelled() => break,
                outcome = self.hold_lock_and_relay(&mut failures) => outcome,
            };
            self.store().set_relays_here(false);
            if let Err(error) = outcome {
                failures = failures.saturating_add(1);
                self.metrics.errors.inc();
                if self.healthy {
                    self.healthy = false;
                    tracing::warn!(service = A::NAME, error = format!("{error:#}"), "the relay cannot publish, events wait in the outbox");
                }
                tokio::time::sleep(backoff(failures)).await;
            }
        }
        self.store().set_relays_here(false);
    }

    fn store(&self) -> Store {
        self.run.app.store().clone()
    }

    async fn hold_lock_and_relay(&mut self, failures: &mut u32) -> anyhow::Result<()> {
        let store = self.store();
        // A connection of its own, outside the pool: the lock is the session's, and gone when the process is.
        let options = store.read().get_postgres_connection_pool().connect_options();
        let mut session = sqlx::PgConnection::connect_with(&options).await.context("no connection for the lock")?;
        loop {
            let taken: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
                .bind(relay_lock_key(A::NAME))
                .fetch_one(&mut session)
                .await?;
            if taken {
                break;
            }
            tokio::time::sleep(LOCK_POLL).await;
        }
        store.set_relays_here(true);
        tracing::debug!(service = A::NAME, "relaying");
        self.relay_all(&store, &mut session, failures).await
    }

    async fn relay_all(
        &mut self,
        store: &Store,
        session: &mut sqlx::PgConnection,
        failures: &mut u32,
    ) -> anyhow::Result<()> {
        let mut wake_ups = self.run.nats.subscribe(relay_wake(A::NAME)).await?;
        let mut checked = Instant::now();
        loop {
            if checked.elapsed() >= LOCK_POLL {
                session.ping().await.context("lost the session that holds the lock")?;
                self.measure(store).await?;
                checked = Instant::now();
            }
            let published = self.publish_batch(store).await?;
            *failures = 0;
            if !self.healthy {
                self.healthy = true;
                tracing::info!(service = A::NAME, "the relay publishes again");
            }
            if published > 0 {
                continue;
            }
            tokio::select! {
                () = store.wake().notified() => {}
                Some(_) = wake_ups.next() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    async fn measure(&self, store: &Store) -> Result<(), Error> {
        let backlog = outbox::backlog(store.read()).await?;
        self.metrics.waiting.set(backlog.waiting);
        self.metrics.oldest_age_seconds.set(backlog.oldest_age_seconds);
        Ok(())
    }

    /// Publishes the next events at once, then waits for their acks. Answers how many were noted as published.
    async fn publish_batch(&self, store: &Store) -> anyhow::Result<usize> {
        let events = outbox::waiting(store.read(), BATCH).await?;
        if events.is_empty() {
            return Ok(0);
        }
        let stream = event::stream_name(A::NAME);
        let incarnation = self.incarnation(&stream).await?;
        let mut under_way: Vec<(uuid::Uuid, PublishAckFuture)> = Vec::with_capacity(events.len());
        for waiting in events {
            let id = waiting.id;
            under_way.push((id, self.publish(waiting).await?));
        }
        let (mut positions, mut failure) = (Vec::with_capacity(under_way.len()), None);
        for (id, ack) in under_way {
            match ack.await {
                Ok(ack) => positions.push(Position { id, sequence: i64::try_from(ack.sequence)? }),
                Err(error) => failure = Some(error),
            }
        }
        outbox::mark_published(store.read(), &stream, incarnation, &positions).await?;
        self.metrics.published.inc_by(u64::try_from(positions.len())?);
        match failure {
            None => Ok(positions.len()),
            Some(error) => Err(error).context("JetStream did not take an event"),
        }
    }

    /// When the stream was created: a stream that was deleted and made again counts from one again.
    async fn incarnation(&self, stream: &str) -> anyhow::Result<DateTime<Utc>> {
        let info = self.run.jetstream.get_stream(stream).await.context("the stream cannot be seen")?;
        let created = info.cached_info().created;
        DateTime::from_timestamp(created.unix_timestamp(), created.nanosecond())
            .context("the stream's creation time is out of range")
    }

    async fn publish(&self, waiting: Waiting) -> anyhow::Result<PublishAckFuture> {
        let context: Headers = serde_json::from_value(waiting.headers)?;
        let mut map = HeaderMap::new();
        let id = waiting.id.to_string();
        map.insert("Nats-Msg-Id", id.as_str());
        map.insert("ce-specversion", "1.0");
        map.insert("ce-id", id.as_str());
        map.insert("ce-type", waiting.r#type.as_str());
        map.insert("ce-source", A::NAME);
        map.insert("ce-subject", waiting.aggregate_id.to_string().as_str());
        map.insert("ce-time", waiting.created_at.to_rfc3339().as_str());
        map.insert(headers::CONTENT_TYPE, "application/json");
        // Checked when they came in: they hold no line breaks.
        map.insert(headers::CORRELATION_ID, context.correlation_id.parse::<async_nats::HeaderValue>()?);
        if let Some(traceparent) = context.traceparent {
            map.insert(headers::TRACEPARENT, traceparent.parse::<async_nats::HeaderValue>()?);
        }
        if let Some(cause) = context.cause {
            map.insert(headers::CAUSE, cause.to_string().as_str());
        }
        let subject = event::subject(&waiting.r#type, waiting.aggregate_id);
        let body = serde_json::to_vec(&waiting.body)?;
        Ok(self.run.jetstream.publish_with_headers(subject, map, body.into()).await?)
    }
}

fn backoff(failures: u32) -> Duration {
    let longest = Duration::from_millis(100).saturating_mul(1 << failures.min(6)).min(MAX_BACKOFF);
    longest.mul_f64(0.5 + rand::random::<f64>() / 2.0)
}

struct Metrics {
    waiting: IntGauge,
    oldest_age_seconds: Gauge,
    published: IntCounter,
    errors: IntCounter,
}

impl Metrics {
    fn register(registry: &Registry, service: &str) -> prometheus::Result<Metrics> {
        let opts = |name: &str, help: &str| Opts::new(name, help).const_label("service", service);
        let metrics = Metrics {
            waiting: IntGauge::with_opts(opts("petpro_outbox_unpublished", "Events that wait to be published."))?,
            oldest_age_seconds: Gauge::with_opts(opts(
                "petpro_outbox_oldest_age_seconds",
                "How long the oldest of them has waited.",
            ))?,
            published: IntCounter::with_opts(opts("petpro_outbox_published_total", "Events published."))?,
            errors: IntCounter::with_opts(opts("petpro_outbox_errors_total", "Failures of the relay."))?,
        };
        registry.register(Box::new(metrics.waiting.clone()))?;
        registry.register(Box::new(metrics.oldest_age_seconds.clone()))?;
        registry.register(Box::new(metrics.published.clone()))?;
        registry.register(Box::new(metrics.errors.clone()))?;
        Ok(metrics)
    }
}
