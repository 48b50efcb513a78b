//! Handlers, whatever they take: as their consumers use them, and whoever replays dead letters.

use super::incoming::Incoming;
use super::pauses::Pauses;
use crate::store::Store;
use crate::tx::Tx;
use async_nats::jetstream;
use futures::future::BoxFuture;
use platform::{ConsumerDeclaration, ConsumerSettings};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use subjects::Fault;
use tokio::sync::Notify;

/// What a handler does with one event, in a transaction. It may be done again in another one, where the first was not
/// committed.
pub(crate) type Work = Box<dyn Fn(Tx) -> BoxFuture<'static, Result<(), Fault>> + Send + Sync>;

/// Reads an event's body.
pub(crate) type Preparation = Arc<dyn Fn(&Incoming) -> Result<Work, serde_json::Error> + Send + Sync>;

/// Helps the compiler to see a preparation in a closure.
pub(super) fn preparation(
    prepare: impl Fn(&Incoming) -> Result<Work, serde_json::Error> + Send + Sync + 'static,
) -> Preparation {
    Arc::new(prepare)
}

/// A handler.
#[derive(Clone)]
pub(crate) struct Handler {
    pub declaration: ConsumerDeclaration,
    pub settings: ConsumerSettings,
    pub prepare: Preparation,
    pub jetstream: jetstream::Context,
}

impl Handler {
    pub(crate) fn name(&self) -> &'static str {
        self.declaration.handler
    }

    /// The work that an event is, or why it cannot be read.
    pub(crate) fn prepare(&self, incoming: &Incoming) -> Result<Work, String> {
        if let Some(trouble) = &incoming.trouble {
            return Err((*trouble).to_owned());
        }
        if self.declaration.ordered && incoming.aggregate_id.is_none() {
            return Err("the event does not say in ce-subject what it happened to, which the order needs".to_owned());
        }
        (self.prepare)(incoming).map_err(|error| format!("the body is not what its type says: {error}"))
    }
}

/// The handlers that run in this replica, and what they share.
#[derive(Default)]
pub(crate) struct Handlers {
    running: Mutex<BTreeMap<&'static str, Handler>>,
    pub pauses: Pauses,
    /// Told after each event that was parked.
    pub parked: Notify,
    /// Whether the tasks beside the handlers run.
    pub companions_run: AtomicBool,
}

impl Handlers {
    pub(crate) fn find(&self, name: &str) -> Option<Handler> {
        self.lock().get(name).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Handler> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Handler>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A handler can be found for as long as this is there. It holds its service's state, and that holds the list.
pub(super) struct Registration {
    store: Store,
    name: &'static str,
}

impl Registration {
    pub(super) fn of(store: &Store, handler: &Handler) -> Registration {
        store.inner().handlers.lock().insert(handler.name(), handler.clone());
        Registration { store: store.clone(), name: handler.name() }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.store.inner().handlers.lock().remove(self.name);
    }
}
