//! What one replica knows of the changes of an entity: the end of its service's own event stream, in memory.

use super::leases::Leases;
use super::ring::{Located, Position, Ring};
use crate::app::App;
use crate::background::Run;
use crate::tail::{Begin, Listener, Place, Told};
use bytes::Bytes;
use std::sync::{Arc, PoisonError, RwLock};
use subjects::{Fault, StreamItem};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

/// The reason of a refusal where this replica does not know yet what has happened.
pub(super) const NOT_CAUGHT_UP: &str = "stream_not_caught_up";
/// How many may wait at a time until it does: each of them keeps a place in the dispatcher from other requests.
const MAX_WAITING: usize = 4;

/// An item as an event told it, written once for all watchers.
pub(super) struct Written<I> {
    pub item: I,
    pub json: Bytes,
}

impl<I: StreamItem> Written<I> {
    pub(super) fn of(item: I) -> Result<Written<I>, serde_json::Error> {
        let json = serde_json::to_vec(&item)?.into();
        Ok(Written { item, json })
    }
}

/// The changes of an entity, for all watchers of this replica.
pub(crate) struct Feed<I> {
    entity: &'static str,
    ring: RwLock<Ring<Arc<Written<I>>>>,
    /// Changes whenever something was heard.
    news: watch::Sender<u64>,
    caught_up: watch::Sender<bool>,
    waiting: Semaphore,
}

impl<I: StreamItem> Feed<I> {
    pub(crate) fn new(entity: &'static str) -> Arc<Feed<I>> {
        Arc::new(Feed {
            entity,
            ring: RwLock::new(Ring::new(0)),
            news: watch::Sender::new(0),
            caught_up: watch::Sender::new(false),
            waiting: Semaphore::new(MAX_WAITING),
        })
    }

    /// Listens to the service's own events until it drains.
    pub(crate) async fn follow<A: App>(&self, run: Run<A>, leases: &Leases) {
        let kept_events = leases.kept_events();
        self.write(|ring| ring.keep(kept_events));
        let back = u64::try_from(kept_events).unwrap_or(u64::MAX);
        run.tail(A::NAME, self.entity, Begin::Back(back)).run(self).await;
    }

    /// Waits until all that was there at the start has been heard.
    ///
    /// # Errors
    /// `unavailable` when that is not so at the deadline, or many wait already: another replica may be better off.
    pub(super) async fn until_caught_up(&self, deadline: Instant) -> Result<(), Fault> {
        if *self.caught_up.borrow() {
            return Ok(());
        }
        let not_yet = || Fault::unavailable(1_000).with_reason(NOT_CAUGHT_UP);
        let _turn = self.waiting.try_acquire().map_err(|_many_wait| not_yet())?;
        let mut caught_up = self.caught_up.subscribe();
        let waited = tokio::time::timeout_at(deadline, caught_up.wait_for(|is_so| *is_so)).await;
        match waited {
            Ok(Ok(_)) => Ok(()),
            _ => Err(not_yet()),
        }
    }

    pub(super) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    pub(super) fn head(&self) -> Position {
        self.read(Ring::head)
    }

    pub(super) fn locate(&self, place: Place) -> Located {
        self.read(|ring| ring.locate(place))
    }

    /// See [`Ring::after`].
    pub(super) fn after(&self, position: Position, limit: usize) -> Option<(Changes<I>, Position)> {
        self.read(|ring| ring.after(position, limit))
    }

    fn read<T>(&self, read: impl FnOnce(&Ring<Arc<Written<I>>>) -> T) -> T {
        read(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, write: impl FnOnce(&mut Ring<Arc<Written<I>>>)) {
        write(&mut self.ring.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Items with the sequences of the events that told them.
pub(super) type Changes<I> = Vec<(u64, Arc<Written<I>>)>;

impl<I: StreamItem> Listener for Feed<I> {
    fn begins(&self, place: Place) {
        self.write(|ring| ring.begin(place));
        self.news.send_modify(|count| *count += 1);
    }

    fn told(&self, event: Told) {
        let item = I::from_event(&event.event_type, &event.body).and_then(|item| item.map(Written::of).transpose());
        let item = item.unwrap_or_else(|error| {
            let sequence = event.place.sequence;
            tracing::error!(event.r#type = event.event_type, sequence, error = %error, "unreadable event");
            None
        });
        self.write(|ring| ring.push(event.place.sequence, item.map(Arc::new)));
        self.news.send_modify(|count| *count += 1);
    }

    fn caught_up(&self) {
        self.caught_up.send_replace(true);
    }

    fn broke_off(&self) {
        self.caught_up.send_replace(false);
    }
}
