//! Work consumers: a durable event handled once, its effect and its inbox row in one transaction.

use crate::error::Error;
use crate::store::HasStore;
use crate::tx::Tx;
use anyhow::Context as _;
use async_nats::jetstream::consumer::{Consumer, pull};
use async_nats::jetstream::{AckKind, Message};
use futures::StreamExt as _;
use platform::events::ConsumerLoop;
use platform::{ConsumerDeclaration, EventConsumer, Meta, Run, headers};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use std::sync::Arc;
use std::time::Duration;
use subjects::{Event, Fault};
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// How many events a replica handles at a time.
const AT_ONCE: usize = 8;
/// The longest pause before an event is given out again.
const MAX_REDELIVERY_PAUSE: Duration = Duration::from_secs(60);
/// The pause before a consumer that cannot be reached is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// A consumer of one event type. The handler changes what it wants in the transaction; it may run again for the same
/// event only if its transaction did not commit.
pub fn work<A, E, F, Fut>(handler: &'static str, handle: F) -> EventConsumer<A>
where
    A: HasStore,
    E: Event,
    F: Fn(Arc<A>, Tx, E) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let declaration = ConsumerDeclaration { service: A::NAME, handler, source: E::SERVICE, event_type: E::TYPE };
    let handle = Arc::new(handle);
    let run: ConsumerLoop<A> = Arc::new(move |run| {
        let worker = Arc::new(Worker { run, declaration, handle: handle.clone() });
        Box::pin(worker.work())
    });
    EventConsumer { declaration, run }
}

struct Worker<A: HasStore, F> {
    run: Run<A>,
    declaration: ConsumerDeclaration,
    handle: Arc<F>,
}

impl<A: HasStore, F> Worker<A, F> {
    async fn work<E, Fut>(self: Arc<Self>)
    where
        E: Event,
        F: Fn(Arc<A>, Tx, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let under_way = TaskTracker::new();
        let mut healthy = true;
        while !self.run.shutdown.is_cancelled() {
            if let Err(error) = self.consume::<E, Fut>(&under_way).await
                && healthy
            {
                healthy = false;
                let consumer = self.declaration.durable_name();
                tracing::warn!(consumer, error = format!("{error:#}"), "cannot consume right now, trying on");
            } else {
                healthy = true;
            }
            tokio::select! {
                () = self.run.shutdown.cancelled() => {}
                () = tokio::time::sleep(RETRY_PAUSE) => {}
            }
        }
        under_way.close();
        under_way.wait().await;
    }

    async fn consume<E, Fut>(self: &Arc<Self>, under_way: &TaskTracker) -> anyhow::Result<()>
    where
        E: Event,
        F: Fn(Arc<A>, Tx, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let (stream, durable) = (self.declaration.stream(), self.declaration.durable_name());
        let stream = self.run.jetstream.get_stream_no_info(stream).await?;
        let consumer: Consumer<pull::Config> =
            stream.get_consumer(&durable).await.map_err(|error| anyhow::anyhow!("{durable}: {error}"))?;
        let mut messages = consumer.stream().max_messages_per_batch(AT_ONCE * 2).messages().await?;
        let permits = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
        loop {
            let permit = permits.clone().acquire_owned().await?;
            let message = tokio::select! {
                () = self.run.shutdown.cancelled() => return Ok(()),
                message = messages.next() => message,
            };
            let Some(message) = message else { return Ok(()) };
            let message = message.context("the consumer broke off")?;
            let worker = self.clone();
            under_way.spawn(async move {
                worker.handle_one::<E, Fut>(message).await;
                drop(permit);
            });
        }
    }

    async fn handle_one<E, Fut>(&self, message: Message)
    where
        E: Event,
        F: Fn(Arc<A>, Tx, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let deliveries = message.info().map_or(1, |info| info.delivered);
        let kind = match self.effect::<E, Fut>(&message).await {
            Ok(()) => AckKind::Ack,
            Err(fault) => {
                let pause = redelivery_pause(deliveries);
                tracing::warn!(
                    consumer = self.declaration.durable_name(),
                    deliveries,
                    pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                    error = describe(&fault),
                    "an event was not handled, it comes again"
                );
                AckKind::Nak(Some(pause))
            }
        };
        if let Err(error) = message.ack_with(kind).await {
            tracing::warn!(consumer = self.declaration.durable_name(), error = %error, "the ack was not sent");
        }
    }

    async fn effect<E, Fut>(&self, message: &Message) -> Result<(), Fault>
    where
        E: Event,
        F: Fn(Arc<A>, Tx, E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let header = |name: &'static str| message.headers.as_ref()?.get(name).map(|value| value.as_str());
        let event_id: Uuid = header("Nats-Msg-Id")
            .and_then(|id| id.parse().ok())
            .ok_or_else(|| Fault::internal("the event has no id in Nats-Msg-Id"))?;
        let meta = Meta {
            correlation_id: header(headers::CORRELATION_ID).map_or_else(|| event_id.to_string(), str::to_owned),
            traceparent: header(headers::TRACEPARENT).map(platform::trace::child_of),
            subject: self.declaration.event_type.to_owned(),
            cause: Some(event_id),
            ..Meta::default()
        };
        // Read anew for each attempt: the handler takes the event as its own.
        let read = || serde_json::from_slice::<E>(&message.payload).map_err(Fault::internal);
        let (handler, handle, app) = (self.declaration.handler, &self.handle, &self.run.app);
        let store = app.store();
        store
            .transact(&meta, |tx| async move {
                if first_time(&tx, handler, event_id).await? { handle(app.clone(), tx, read()?).await } else { Ok(()) }
            })
            .await
    }
}

async fn first_time(tx: &Tx, handler: &str, event_id: Uuid) -> Result<bool, Error> {
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "insert into inbox (handler, event_id) values ($1, $2) on conflict do nothing",
        [handler.into(), event_id.into()],
    );
    Ok(tx.execute_raw(statement).await?.rows_affected() == 1)
}

/// One second, then twice as long each time, with jitter.
fn redelivery_pause(deliveries: i64) -> Duration {
    let doublings = u32::try_from(deliveries.clamp(1, 7) - 1).unwrap_or(0);
    let longest = Duration::from_secs(1).saturating_mul(1 << doublings).min(MAX_REDELIVERY_PAUSE);
    longest.mul_f64(0.5 + rand::random::<f64>() / 2.0)
}

fn describe(fault: &Fault) -> String {
    match &fault.source {
        Some(source) => format!("{fault}: {source}"),
        None => fault.to_string(),
    }
}
