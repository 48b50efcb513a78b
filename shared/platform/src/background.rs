//! Work that runs beside the handlers for as long as the service does.

use crate::app::App;
use crate::audit::AuditQueue;
use crate::client::Client;
use crate::cx::Cx;
use crate::dispatcher::chain;
use crate::meta::Meta;
use crate::nats::ServerSignals;
use crate::tail::{Begin, EntityTail};
use futures::future::BoxFuture;
use identity::Caller;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// What a background task or a consumer gets.
pub struct Run<A: App> {
    /// The service's state.
    pub app: Arc<A>,
    /// The service's NATS connection.
    pub nats: async_nats::Client,
    /// JetStream over the same connection.
    pub jetstream: async_nats::jetstream::Context,
    /// Set when the service drains: finish what has begun and return.
    pub shutdown: CancellationToken,
    /// This instance's id, as `$SRV.INFO` shows it.
    pub instance: Arc<str>,
    /// Where the task registers metrics of its own.
    pub metrics: prometheus::Registry,
    /// What waits to be written into the audit log.
    pub audit: AuditQueue,
    pub(crate) client: Client,
    pub(crate) signals: ServerSignals,
}

impl<A: App> Clone for Run<A> {
    fn clone(&self) -> Run<A> {
        Run {
            app: self.app.clone(),
            nats: self.nats.clone(),
            jetstream: self.jetstream.clone(),
            shutdown: self.shutdown.clone(),
            instance: self.instance.clone(),
            metrics: self.metrics.clone(),
            audit: self.audit.clone(),
            client: self.client.clone(),
            signals: self.signals.clone(),
        }
    }
}

impl<A: App> Run<A> {
    /// A context in which the service itself is the caller, for one piece of work called `name` that may take
    /// `timeout`.
    pub fn cx(&self, name: &str, timeout: Duration) -> Cx<A> {
        self.cx_for(Meta::background(name), timeout)
    }

    /// Likewise, with given circumstances: a consumer passes on those of the event.
    pub fn cx_for(&self, meta: Meta, timeout: Duration) -> Cx<A> {
        let caller = Caller::of_service(A::NAME);
        let deadline = tokio::time::Instant::now() + timeout;
        Cx::new(self.app.clone(), self.client.clone(), caller, None, meta, deadline, None)
    }
}

impl<A: App> Run<A> {
    /// Follows the events of an `entity` of the service `source` until the service drains. The service has declared it
    /// with [`Service::follows`](crate::Service::follows).
    pub fn tail(&self, source: &'static str, entity: &'static str, begin: Begin) -> EntityTail {
        EntityTail {
            nats: self.nats.clone(),
            jetstream: self.jetstream.clone(),
            signals: self.signals.clone(),
            source,
            entity,
            begin,
            shutdown: self.shutdown.clone(),
        }
    }

    /// Does a piece of work at once and then every so often, until the service drains. A failure is logged as
    /// "could not `what`", and the work is done again the next time. Work that takes longer than the interval is
    /// followed by a whole interval's pause.
    pub async fn every<E, Fut>(&self, interval: Duration, what: &'static str, work: impl Fn() -> Fut)
    where
        E: std::error::Error,
        Fut: Future<Output = Result<(), E>>,
    {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = work().await {
                tracing::warn!(error = chain(&error), "could not {what}");
            }
        }
    }
}

pub(crate) struct Background<A: App> {
    pub(crate) name: &'static str,
    pub(crate) run: Arc<dyn Fn(Run<A>) -> BoxFuture<'static, ()> + Send + Sync>,
}
