//! What runs beside the consumers of a replica, once for all of them: it looks who is paused, measures how far each is,
//! finds what no client takes, and tells of dead letters.

use super::consume::Consumer;
use super::handler::Handlers;
use super::{status, strays};
use crate::dead_letters;
use crate::store::Store;
use futures::FutureExt as _;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How often it is looked who is paused.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it is measured how far the consumers are.
const MEASURE_EVERY: Duration = Duration::from_secs(10);
/// The pause before the tasks are started again after a panic.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// Starts them with the first consumer; they end at shutdown.
pub(super) fn ensure_running(consumer: &Consumer) {
    let handlers = &consumer.store.inner().handlers;
    if handlers.companions_run.swap(true, Ordering::SeqCst) {
        return;
    }
    let (store, shutdown) = (consumer.store.clone(), consumer.shutdown.clone());
    let jetstream = consumer.handler.jetstream.clone();
    tokio::spawn(async move {
        while !shutdown.is_cancelled() {
            let all = async {
                tokio::join!(
                    look(&store),
                    status::measure(&store, MEASURE_EVERY),
                    strays::find(&store, &shutdown, MEASURE_EVERY),
                    dead_letters::announce(&store, &jetstream)
                )
            };
            let until_shutdown = until(&shutdown, AssertUnwindSafe(all).catch_unwind());
            if until_shutdown.await {
                tracing::error!(
                    service = store.inner().service,
                    "a task beside the consumers panicked, starting it again"
                );
                until(&shutdown, sleep(RESTART_PAUSE)).await;
            }
        }
        let Handlers { companions_run, .. } = &store.inner().handlers;
        companions_run.store(false, Ordering::SeqCst);
    });
}

/// False: it was shutdown first.
async fn until<T>(shutdown: &CancellationToken, task: impl Future<Output = T>) -> bool {
    tokio::select! {
        () = shutdown.cancelled() => false,
        _ = task => true,
    }
}

async fn look(store: &Store) {
    loop {
        if let Err(error) = store.inner().handlers.pauses.look(store).await {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(service = store.inner().service, error, "it could not be looked up who is paused");
        }
        sleep(LOOK_EVERY).await;
    }
}
