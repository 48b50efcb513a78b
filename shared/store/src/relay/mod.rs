//! The relay: publishes what stands in the outbox, in order per aggregate, and stores where JetStream keeps it.
//!
//! One relay a service works at a time, under a session advisory lock; any replica takes over when its holder is
//! gone. While NATS or the database is away the outbox only grows.

mod audit;
mod doubts;
mod find;
mod health;
mod metrics;
mod places;
mod publish;
mod put_back;
mod refill;
mod resting;
mod round;
mod session;
mod status;
mod stream;
mod waiting;

use crate::cleanup;
use crate::store::{HasStore, Store};
use async_nats::Subscriber;
use doubts::Doubts;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use health::Health;
use platform::Run;
use platform::permissions::relay_wake;
use publish::Publisher;
use round::{Round, Rounds};
use session::Session;
use std::time::Duration;
use stream::Stream;
use tokio::time::{Instant, sleep, timeout};

pub use find::{find_by_correlation, find_event};
pub(crate) use metrics::RelayMetrics;
pub use refill::refill;
pub use session::relay_lock_key;
pub use status::status;

/// How often the outbox is looked at without a wake-up.
const POLL: Duration = Duration::from_secs(1);
/// After a batch that was not full, how long the next one gathers: each costs a commit and several questions, whether it
/// holds one event or many.
const GATHER: Duration = Duration::from_millis(10);
/// How often a replica that does not relay tries to take over.
const LOCK_POLL: Duration = Duration::from_secs(1);
/// How often the gauges are set anew.
const MEASURE: Duration = Duration::from_secs(5);
/// A measurement that takes long is made less often: for so many times as long as it took, none is made.
const MEASURE_SHARE: u32 = 20;
/// How long a wake-up may take to leave.
const PING_TIMEOUT: Duration = Duration::from_secs(1);

/// The background task of a service that keeps data, see [`EventLog`](crate::EventLog). It relays the outbox, makes and
/// drops the days of outbox and inbox, and drops idempotency keys whose time is over.
pub fn relay<A: HasStore>() -> impl Fn(Run<A>) -> BoxFuture<'static, ()> + Send + Sync + 'static {
    |run| {
        async move {
            let store = run.app.store().clone();
            store.inner().metrics.register(&run.metrics);
            let shutdown = run.shutdown.clone();
            // What is published and not yet noted is published again by the next relay, under the same message id.
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = relay_for_ever(&store, &run) => {}
                () = cleanup::clean_for_ever(&store) => {}
            }
            store.inner().metrics.relay.rests();
        }
        .boxed()
    }
}

async fn relay_for_ever<A: HasStore>(store: &Store, run: &Run<A>) {
    let mut health = Health::default();
    let metrics = &store.inner().metrics.relay;
    loop {
        let Err(error) = relay_under_lock(store, run, &mut health).await;
        metrics.rests();
        metrics.errors.inc();
        sleep(health.failed(A::NAME, &error)).await;
    }
}

/// Takes the lock and relays until something fails. The session, and the lock with it, ends with this function.
async fn relay_under_lock<A: HasStore>(
    store: &Store,
    run: &Run<A>,
    health: &mut Health,
) -> anyhow::Result<std::convert::Infallible> {
    let mut session = Session::connect(store, "relay").await?;
    while !session.try_lock().await? {
        // Somebody else relays, and learns from us what our commits have left.
        tokio::select! {
            () = store.inner().outbox_filled.notified() => ping(run).await,
            () = sleep(LOCK_POLL) => {}
        }
    }
    tracing::debug!(service = A::NAME, "relaying the outbox");
    let metrics = store.inner().metrics.relay.clone();
    metrics.holds_lock.set(1);
    let pings = run.nats.subscribe(relay_wake(A::NAME)).await?;
    let stream = Stream::of(A::NAME, run.nats.clone(), run.jetstream.clone());
    let rounds = Rounds::new(session, stream, Publisher::new(A::NAME), metrics, Doubts::new(store));
    tokio::select! {
        Err(error) = relay_rounds::<A>(store, rounds, pings, health) => Err(error),
        () = measure_for_ever(store) => Err(anyhow::anyhow!("nothing is measured any more")),
    }
}

async fn relay_rounds<A: HasStore>(
    store: &Store,
    mut rounds: Rounds,
    mut pings: Subscriber,
    health: &mut Health,
) -> anyhow::Result<std::convert::Infallible> {
    loop {
        match rounds.next().await? {
            Round::Progress => {
                health.succeeded(A::NAME);
                if !rounds.session.has_more() {
                    sleep(GATHER).await;
                }
            }
            Round::Idle => {
                health.succeeded(A::NAME);
                wait_for_more(store, &mut pings).await;
            }
            Round::Stuck(error) => {
                rounds.metrics.errors.inc();
                sleep(health.failed(A::NAME, &error)).await;
            }
        }
    }
}

/// Sets the gauges, beside the relay's own work: to count a million rows takes a while.
async fn measure_for_ever(store: &Store) {
    let metrics = &store.inner().metrics.relay;
    loop {
        let began = Instant::now();
        match status::backlog(store).await {
            Ok(backlog) => {
                metrics.unpublished.set(backlog.unpublished);
                metrics.oldest_age_seconds.set(backlog.oldest_age_seconds.unwrap_or(0.0));
            }
            Err(error) => tracing::debug!(error = %error, "the outbox could not be measured"),
        }
        sleep(MEASURE.max(began.elapsed() * MEASURE_SHARE)).await;
    }
}

async fn wait_for_more(store: &Store, pings: &mut Subscriber) {
    tokio::select! {
        () = store.inner().outbox_filled.notified() => {}
        Some(_) = pings.next() => {}
        () = sleep(POLL) => {}
    }
    // Many wake-ups are one.
    while let Some(Some(_)) = pings.next().now_or_never() {}
}

async fn ping<A: HasStore>(run: &Run<A>) {
    let sent = timeout(PING_TIMEOUT, run.nats.publish(relay_wake(A::NAME), "".into()));
    if !matches!(sent.await, Ok(Ok(()))) {
        tracing::debug!(service = A::NAME, "the relay could not be woken, it will look by itself");
    }
}
