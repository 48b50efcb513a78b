//! The leases of one service: how many there may be, and how they end when it leaves.

use super::ask::Terms;
use super::feed::Feed;
use super::lease::{Lease, Start};
use super::metrics::StreamMetrics;
use super::outlet::Outlet;
use super::ring::Located;
use super::watch::Watch;
use super::wire::StreamPlace;
use crate::setup::Setup;
use async_nats::jetstream;
use garde::Validate;
use serde::Deserialize;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use subjects::event::stream_name;
use subjects::{Fault, StreamItem};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// After how long a watcher for whom there is no room should try again.
const FULL_RETRY_AFTER_MS: u64 = 1_000;
/// How long a lease may go on beyond its time, when NATS takes no more answers.
const OVERTIME: Duration = Duration::from_secs(5);

/// The section `streams`: the bounds of what each replica of a service tells watchers.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct StreamsConfig {
    /// How many leases may be open at a time, in each service.
    #[garde(range(min = 1, max = 1_000_000))]
    pub leases: usize,
    /// How many snapshots may be read from the database at a time, in each service.
    #[garde(range(min = 1, max = 1_000))]
    pub snapshots: usize,
    /// How many changes of each entity are kept in memory. A watcher whose place is further back gets a new snapshot.
    #[garde(range(min = 1, max = 1_000_000))]
    pub kept_events: usize,
}

impl Default for StreamsConfig {
    fn default() -> StreamsConfig {
        StreamsConfig { leases: 20_000, snapshots: 4, kept_events: 16_384 }
    }
}

/// The leases of one service in this process. Empty until the service starts.
#[derive(Default)]
pub(crate) struct Leases(OnceLock<Arc<Lessor>>);

/// What all leases of a service share.
pub(super) struct Lessor {
    pub nats: async_nats::Client,
    pub metrics: StreamMetrics,
    pub snapshots: Semaphore,
    pub leaving: CancellationToken,
    config: StreamsConfig,
    jetstream: jetstream::Context,
    stream: String,
    places: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Leases {
    /// Makes ready for giving leases.
    pub(crate) fn open(&self, setup: &Setup) -> anyhow::Result<()> {
        let config: StreamsConfig = setup.settings.section("streams")?;
        self.0.get_or_init(|| {
            Arc::new(Lessor {
                nats: setup.nats.clone(),
                metrics: setup.metrics.streams(),
                snapshots: Semaphore::new(config.snapshots),
                leaving: CancellationToken::new(),
                jetstream: setup.jetstream.clone(),
                stream: stream_name(setup.name),
                places: Arc::new(Semaphore::new(config.leases)),
                tasks: TaskTracker::new(),
                config,
            })
        });
        Ok(())
    }

    pub(super) fn kept_events(&self) -> usize {
        self.0.get().map_or(0, |lessor| lessor.config.kept_events)
    }

    /// Ends every lease, so that its watcher goes on elsewhere.
    pub(crate) fn leave(&self) {
        if let Some(lessor) = self.0.get() {
            lessor.leaving.cancel();
        }
    }

    /// Waits until every lease has ended.
    pub(crate) async fn finish(&self) {
        if let Some(lessor) = self.0.get() {
            lessor.tasks.close();
            lessor.tasks.wait().await;
        }
    }

    /// Begins a lease.
    ///
    /// # Errors
    /// `unavailable` where there are too many already, or where this replica does not know yet what has happened.
    pub(super) async fn grant<I: StreamItem>(
        &self,
        subject: &'static str,
        feed: Arc<Feed<I>>,
        watch: Watch<I>,
        terms: Terms,
        deadline: Instant,
    ) -> Result<(), Fault> {
        let lessor = self.0.get().ok_or_else(|| Fault::internal("the service has not started"))?.clone();
        let place = lessor
            .places
            .clone()
            .try_acquire_owned()
            .map_err(|_full| Fault::unavailable(FULL_RETRY_AFTER_MS).with_reason("too_many_streams"))?;
        feed.until_caught_up(deadline).await?;
        // Whoever asks for something else now, or sees something else, begins anew.
        let from = terms.from.filter(|from| from.scope == watch.scope());
        let start = lessor.start(&feed, from).await?;
        if terms.from.is_some() && start == Start::New {
            lessor.metrics.reset(subject);
        }
        let until = Instant::now() + terms.lease;
        let outlet = Outlet::new(lessor.nats.clone(), &terms);
        let lease = Lease { subject, feed, watch, outlet, credit: terms.credit, until, lessor: lessor.clone() };
        lessor.tasks.spawn({
            let lessor = lessor.clone();
            async move {
                let _open = lessor.metrics.opened(subject);
                let ended = tokio::time::timeout_at(until + OVERTIME, lease.run(start)).await;
                lessor.metrics.ended(subject, ended.ok().flatten());
                drop(place);
            }
        });
        Ok(())
    }
}

impl Lessor {
    /// Where a watcher's lease begins.
    async fn start<I: StreamItem>(&self, feed: &Feed<I>, from: Option<StreamPlace>) -> Result<Start, Fault> {
        let Some(from) = from else { return Ok(Start::New) };
        let position = match feed.locate(from.events) {
            Located::Here(position) => position,
            // Another replica was quicker, or the stream was put back to what it once was.
            Located::Ahead(position) if self.reaches(from.events.sequence).await? => position,
            Located::Ahead(_) | Located::Gone => return Ok(Start::New),
        };
        Ok(match from.after {
            None => Start::Changes(position),
            Some(after) => Start::Middle { after, head: position },
        })
    }

    async fn reaches(&self, sequence: u64) -> Result<bool, Fault> {
        let stream = self.jetstream.get_stream(&self.stream).await;
        let stream = stream.map_err(|error| Fault::unavailable(FULL_RETRY_AFTER_MS).with_source(error))?;
        Ok(stream.cached_info().state.last_sequence >= sequence)
    }
}
