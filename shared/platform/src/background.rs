//! Work that runs beside the handlers for as long as the service does.

use crate::app::App;
use crate::client::Client;
use crate::cx::Cx;
use crate::meta::Meta;
use futures::future::BoxFuture;
use identity::Caller;
use std::sync::Arc;
use std::time::Duration;
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
    pub(crate) client: Client,
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
            client: self.client.clone(),
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
        let caller = Caller { user: None, service: Some(A::NAME.to_owned()) };
        let deadline = tokio::time::Instant::now() + timeout;
        Cx::new(self.app.clone(), self.client.clone(), caller, None, meta, deadline)
    }
}

pub(crate) struct Background<A: App> {
    pub(crate) name: &'static str,
    pub(crate) run: Arc<dyn Fn(Run<A>) -> BoxFuture<'static, ()> + Send + Sync>,
}
