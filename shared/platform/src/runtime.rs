//! The life of a service: ready only when its subscriptions are live, gone only when every request has its reply.

use crate::app::App;
use crate::background::{Background, Run};
use crate::discovery::{Discovery, EndpointStats, instance_ping};
use crate::dispatcher::{Dispatcher, DispatcherConfig};
use crate::ejection::{Condition, Ejection, EjectionConfig, Standing};
use crate::health::Health;
use crate::queue_group::QueueGroup;
use crate::service::Service;
use crate::setup::Setup;
use anyhow::{Context as _, bail};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a service may take to leave.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);
/// How long the last replies may take to leave; longer only where NATS is away.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the self-request may take that shows the subscriptions to be live.
const LIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause before a background task that failed is started again.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// A service that takes requests.
pub struct Running {
    name: &'static str,
    drain: BoxFuture<'static, ()>,
    shutdown: CancellationToken,
}

impl Running {
    /// The service's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Takes no new work, finishes what has begun, and returns: within 20 s at the most.
    ///
    /// # Errors
    /// Something was still unfinished then.
    pub async fn drain(self) -> anyhow::Result<()> {
        if tokio::time::timeout(DRAIN_TIMEOUT, self.drain).await.is_err() {
            self.shutdown.cancel();
            bail!("{}: did not finish within {} s", self.name, DRAIN_TIMEOUT.as_secs());
        }
        tracing::info!(service = self.name, "drained");
        Ok(())
    }
}

/// Starts a service and returns once it is ready.
///
/// # Errors
/// NATS refuses one of its subjects, or does not answer.
pub async fn start<A: App>(setup: Setup, service: Service<A>, app: A) -> anyhow::Result<Running> {
    let setup = Arc::new(setup);
    setup.health.set_ready(A::NAME, false);
    let config: DispatcherConfig = setup.settings.section("dispatcher")?;
    let app = Arc::new(app);
    let leave = CancellationToken::new();
    let shutdown = CancellationToken::new();
    let background = TaskTracker::new();

    crate::revocation::follow(&setup, &background, &shutdown).await?;

    service.leases.open(&setup)?;
    let leases = service.leases.clone();
    let condition = Arc::new(Condition::new());
    let dispatcher = Dispatcher::new(app.clone(), setup.clone(), &config, condition.clone());
    let mut group = QueueGroup::new(setup.clone(), dispatcher.clone());
    let mut stats = Vec::new();
    for endpoint in service.endpoints {
        endpoint.prepare().with_context(|| format!("the schema of {}", endpoint.operation.subject))?;
        let endpoint = Arc::new(endpoint);
        for subject in endpoint.operation.subjects() {
            let endpoint_stats = Arc::new(EndpointStats::new(subject, endpoint.operation));
            group.answer(subject, &endpoint, &endpoint_stats);
            stats.push(endpoint_stats);
        }
    }
    let answers_requests = !stats.is_empty();
    let membership = group.join().await?;
    let discovery = Arc::new(Discovery::new(&setup, stats, condition.clone()));
    let verbs = discovery.subscribe(&setup.nats).await?;
    let answering = tokio::spawn(discovery.answer(setup.nats.clone(), verbs));
    until_live(&setup).await?;
    let ejection: EjectionConfig = setup.settings.section("ejection")?;
    let ejection = EjectionConfig { enabled: ejection.enabled && answers_requests, ..ejection };
    let ejection = Ejection::new(&setup, ejection, condition.clone());
    let staying = tokio::spawn(ejection.stay(group, membership, leave.clone()));

    let run = Run {
        app,
        nats: setup.nats.clone(),
        jetstream: setup.jetstream.clone(),
        shutdown: shutdown.clone(),
        instance: setup.instance.clone(),
        metrics: setup.registry.clone(),
        audit: setup.audit.clone(),
        client: setup.client.clone(),
        signals: setup.signals.clone(),
    };
    for task in service.background {
        background.spawn(supervise(task, run.clone(), setup.health.clone()));
    }
    for consumer in service.consumers {
        let task = Background { name: consumer.declaration.handler, run: consumer.into_task() };
        background.spawn(supervise(task, run.clone(), setup.health.clone()));
    }
    watch_connection(&setup);
    setup.health.set_ready(A::NAME, true);
    tracing::info!(service = A::NAME, instance = &*setup.instance, version = setup.version, "ready");

    let stopping = shutdown.clone();
    let drain = async move {
        setup.health.set_ready(A::NAME, false);
        condition.set(Standing::Leaving);
        leave.cancel();
        leases.leave();
        if let Err(error) = staying.await {
            tracing::error!(service = A::NAME, error = %error, "did not leave the queue group as it should");
        }
        dispatcher.finish().await;
        leases.finish().await;
        shutdown.cancel();
        background.close();
        background.wait().await;
        answering.abort();
        let flushed = tokio::time::timeout(FLUSH_TIMEOUT, setup.nats.flush()).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::warn!(service = A::NAME, outcome = ?flushed, "the last replies may not have left");
        }
        if let Err(error) = setup.nats.drain().await {
            tracing::debug!(service = A::NAME, error = %error, "closing the nats connection");
        }
    };
    Ok(Running { name: A::NAME, drain: Box::pin(drain), shutdown: stopping })
}

/// A subscription is live once a request of our own comes back over a later one of the same connection: the server
/// takes them in order.
async fn until_live(setup: &Setup) -> anyhow::Result<()> {
    let subject = instance_ping(setup.name, &setup.instance);
    let started = tokio::time::Instant::now();
    loop {
        let asked = setup.nats.request(subject.clone(), "".into());
        match tokio::time::timeout(Duration::from_millis(500), asked).await {
            Ok(Ok(_)) => break,
            _ if started.elapsed() < LIVE_TIMEOUT => tokio::time::sleep(Duration::from_millis(5)).await,
            _ => bail!(
                "{}: the subscriptions did not become live; NATS refused: {:?} (write the permissions anew with \
                 `petpro nats-config` and reload the server)",
                setup.name,
                setup.signals.refused_subscriptions()
            ),
        }
    }
    let refused = setup.signals.refused_subscriptions();
    if !refused.is_empty() {
        bail!(
            "{}: NATS refuses to subscribe to {refused:?}: write the permissions anew (`petpro nats-config`)",
            setup.name
        );
    }
    Ok(())
}

fn watch_connection(setup: &Arc<Setup>) {
    let (nats, signals) = (setup.nats.clone(), setup.signals.clone());
    let check = move || -> BoxFuture<'static, Result<(), String>> {
        let (state, refused) = (nats.connection_state(), signals.refused_subscriptions());
        Box::pin(async move {
            match state {
                // A refusal may be heard later than the start has looked.
                async_nats::connection::State::Connected if !refused.is_empty() => Err(format!("refused {refused:?}")),
                async_nats::connection::State::Connected => Ok(()),
                state => Err(format!("{state:?}").to_lowercase()),
            }
        })
    };
    setup.health.add_check(&format!("{}.nats", setup.name), Arc::new(check));
}

/// Runs a background task until shutdown, also when it panics. One that ends by itself leaves the service unready:
/// it is not what it should be any more.
async fn supervise<A: App>(task: Background<A>, run: Run<A>, health: Health) {
    loop {
        let outcome = AssertUnwindSafe((task.run)(run.clone())).catch_unwind().await;
        if run.shutdown.is_cancelled() {
            return;
        }
        match outcome {
            Ok(()) => {
                tracing::error!(service = A::NAME, task = task.name, "a background task ended before its time");
                health.set_ready(A::NAME, false);
                return;
            }
            Err(_panic) => {
                tracing::error!(service = A::NAME, task = task.name, "a background task panicked, starting it again");
                tokio::time::sleep(RESTART_PAUSE).await;
            }
        }
    }
}
