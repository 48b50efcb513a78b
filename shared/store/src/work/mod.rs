//! Work consumers: one durable pull consumer per service and handler, shared by the replicas. The handler's effect
//! and the inbox row are one transaction, and the acknowledgement comes after it, so that an event that is given out
//! again has its effect once.

mod delivery;

use crate::store::HasStore;
use crate::tx::Tx;
use crate::within::within;
use async_nats::jetstream::AckKind;
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::consumer::pull;
use delivery::Delivery;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use platform::{ConsumerDeclaration, EventConsumer, Run};
use std::sync::Arc;
use std::time::Duration;
use subjects::{Event, Fault};

/// How many events a replica handles at a time.
const PARALLEL: usize = 8;
/// How long JetStream may take to show a consumer.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a pull waits for events, and after which silence it is taken for lost.
const PULL_EXPIRES: Duration = Duration::from_secs(30);
const PULL_HEARTBEAT: Duration = Duration::from_secs(5);
/// How long a replica that leaves asks JetStream to wait before it gives its events to another one.
const LEAVING_DELAY: Duration = Duration::from_millis(10);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const MAX_PAUSE: Duration = Duration::from_secs(2);

/// A durable consumer of the events `E`, under the name `<service>_<handler>`:
/// `.consume(store::work("service_updated", read_models::service_updated))`.
///
/// Up to eight events are handled at a time, in no particular order; each in one transaction with its inbox row. What
/// the handler emits has the event as its cause and shares its correlation. A failure is tried again, with backoff,
/// without end.
pub fn work<A, E, F, Fut>(handler: &'static str, handle: F) -> EventConsumer<A>
where
    A: HasStore,
    E: Event,
    F: Fn(Arc<A>, Tx, E) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), Fault>> + Send + 'static,
{
    let declaration = ConsumerDeclaration { service: A::NAME, handler, source: E::SERVICE, event_type: E::TYPE };
    let handle = Arc::new(move |app: Arc<A>, tx: Tx, body: &[u8]| -> BoxFuture<'static, Result<(), Fault>> {
        match serde_json::from_slice::<E>(body) {
            Ok(event) => handle(app, tx, event).boxed(),
            Err(error) => std::future::ready(Err(Fault::internal(error))).boxed(),
        }
    });
    let run = Arc::new(move |run: Run<A>| consume(Consumer { declaration, handle: handle.clone(), run }).boxed());
    EventConsumer { declaration, run }
}

/// A handler whose event type is erased: it reads the body itself.
type Handle<A> = Arc<dyn Fn(Arc<A>, Tx, &[u8]) -> BoxFuture<'static, Result<(), Fault>> + Send + Sync>;

struct Consumer<A: HasStore> {
    declaration: ConsumerDeclaration,
    handle: Handle<A>,
    run: Run<A>,
}

/// Consumes until shutdown, also while the consumer is not there yet, or NATS is away.
async fn consume<A: HasStore>(consumer: Consumer<A>) {
    let run = &consumer.run;
    run.app.store().inner().metrics.register(&run.metrics);
    let durable = consumer.declaration.durable_name();
    let mut failures: u32 = 0;
    while !run.shutdown.is_cancelled() {
        let before = tokio::time::Instant::now();
        let Err(error) = consume_until_it_breaks(&consumer, &durable).await else { return };
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
            () = run.shutdown.cancelled() => return,
            () = tokio::time::sleep(longest.mul_f64(0.5 + rand::random::<f64>() / 2.0)) => {}
        }
    }
}

/// Ends with `Ok` at shutdown, when what had begun is done.
async fn consume_until_it_breaks<A: HasStore>(consumer: &Consumer<A>, durable: &str) -> anyhow::Result<()> {
    let shutdown = &consumer.run.shutdown;
    let opening = open(consumer, durable);
    let mut messages = tokio::select! {
        () = shutdown.cancelled() => return Ok(()),
        opened = opening => opened?,
    };
    tracing::debug!(consumer.name = durable, "consuming");
    let mut at_work = FuturesUnordered::new();
    let outcome = loop {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => break Ok(()),
            Some(()) = at_work.next(), if !at_work.is_empty() => {}
            message = messages.next(), if at_work.len() < PARALLEL => match message {
                Some(Ok(message)) => at_work.push(deliver(consumer, message)),
                Some(Err(error)) => break Err(error.into()),
                None => break Err(anyhow::anyhow!("the subscription has ended")),
            },
        }
    };
    while let Some(()) = at_work.next().await {}
    // What was given to this replica and not begun: another one need not wait until it is given out again.
    while let Some(Some(Ok(message))) = messages.next().now_or_never() {
        acknowledge(&message, AckKind::Nak(Some(LEAVING_DELAY))).await;
    }
    outcome
}

async fn open<A: HasStore>(consumer: &Consumer<A>, durable: &str) -> anyhow::Result<pull::Stream> {
    let stream = consumer.declaration.stream();
    let asking = consumer.run.jetstream.get_consumer_from_stream(durable, stream);
    let pull_consumer: PullConsumer = within(OPEN_TIMEOUT, asking, "looking for the consumer").await?;
    let messages = pull_consumer
        .stream()
        .max_messages_per_batch(PARALLEL)
        .expires(PULL_EXPIRES)
        .heartbeat(PULL_HEARTBEAT)
        .messages();
    within(OPEN_TIMEOUT, messages, "asking the consumer for events").await
}

async fn deliver<A: HasStore>(consumer: &Consumer<A>, message: Message) {
    let delivery = Delivery::of(&consumer.declaration, &message);
    let answer = delivery.handle(consumer).await;
    acknowledge(&message, answer).await;
}

/// An acknowledgement that does not arrive is made up for by the inbox.
async fn acknowledge(message: &Message, answer: AckKind) {
    if let Err(error) = message.ack_with(answer).await {
        tracing::debug!(error = %error, "an event's acknowledgement was not sent, it will come again");
    }
}
