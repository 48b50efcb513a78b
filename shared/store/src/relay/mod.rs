//! The relay: publishes what stands in the outbox, in order per aggregate, and stores where JetStream keeps it.
//!
//! One relay a service works at a time, under a session advisory lock; any replica takes over when its holder is
//! gone. While NATS or the database is away the outbox only grows.

mod publish;
mod round;
mod session;

use crate::cleanup;
use crate::store::{HasStore, Store};
use async_nats::Subscriber;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use platform::Run;
use platform::permissions::relay_wake;
use publish::Publisher;
use round::{Round, Rounds};
use session::Session;
pub use session::relay_lock_key;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How often the outbox is looked at without a wake-up.
const POLL: Duration = Duration::from_secs(1);
/// After a batch that was not full, how long the next one gathers: each costs a commit and several questions, whether it
/// holds one event or many.
const GATHER: Duration = Duration::from_millis(10);
/// How often a replica that does not relay tries to take over.
const LOCK_POLL: Duration = Duration::from_secs(1);
/// How often the gauges are set anew.
const MEASURE: Duration = Duration::from_secs(5);
/// How long a wake-up may take to leave.
const PING_TIMEOUT: Duration = Duration::from_secs(1);
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// The background task of a service that keeps data: `.background("relay", store::relay())`. It relays the outbox,
/// and drops rows of outbox, inbox and idempotency keys whose time is over.
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
        }
        .boxed()
    }
}

async fn relay_for_ever<A: HasStore>(store: &Store, run: &Run<A>) {
    let mut health = Health::default();
    loop {
        let Err(error) = relay_under_lock(store, run, &mut health).await;
        store.inner().metrics.relay_errors.inc();
        sleep(health.failed(A::NAME, &error)).await;
    }
}

/// Takes the lock and relays until something fails. The session, and the lock with it, ends with this function.
async fn relay_under_lock<A: HasStore>(
    store: &Store,
    run: &Run<A>,
    health: &mut Health,
) -> anyhow::Result<std::convert::Infallible> {
    let mut session = Session::connect(store).await?;
    while !session.try_lock().await? {
        // Somebody else relays, and learns from us what our commits have left.
        tokio::select! {
            () = store.inner().outbox_filled.notified() => ping(run).await,
            () = sleep(LOCK_POLL) => {}
        }
    }
    tracing::debug!(service = A::NAME, "relaying the outbox");
    let mut pings = run.nats.subscribe(relay_wake(A::NAME)).await?;
    let publisher = Publisher::new(A::NAME, run.nats.clone(), run.jetstream.clone());
    let mut rounds = Rounds::new(session, publisher, store.inner().metrics.clone());
    let mut measured: Option<Instant> = None;
    loop {
        if measured.is_none_or(|at| at.elapsed() >= MEASURE) {
            let backlog = rounds.session.backlog().await?;
            store.inner().metrics.unpublished.set(backlog.unpublished);
            store.inner().metrics.oldest_age_seconds.set(backlog.oldest_age_seconds);
            measured = Some(Instant::now());
        }
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
                store.inner().metrics.relay_errors.inc();
                sleep(health.failed(A::NAME, &error)).await;
            }
        }
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

/// Says once that the relay cannot work, and once that it can again.
#[derive(Default)]
struct Health {
    failures: u32,
}

impl Health {
    /// How long to pause.
    fn failed(&mut self, service: &str, error: &anyhow::Error) -> Duration {
        let text = format!("{error:#}");
        if self.failures == 0 {
            tracing::warn!(service, error = text, "the outbox cannot be relayed right now, it will grow");
        } else {
            tracing::debug!(service, error = text, "the outbox cannot be relayed yet");
        }
        self.failures = self.failures.saturating_add(1);
        let longest = FIRST_BACKOFF.saturating_mul(1 << self.failures.min(6)).min(MAX_BACKOFF);
        longest.mul_f64(0.5 + rand::random::<f64>() / 2.0)
    }

    fn succeeded(&mut self, service: &str) {
        if self.failures > 0 {
            tracing::info!(service, "the outbox is relayed again");
        }
        self.failures = 0;
    }
}
