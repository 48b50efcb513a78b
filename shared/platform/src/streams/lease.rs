//! One lease: a snapshot where it is needed, then changes, until its time or its credit is over.

use super::feed::{Feed, Written};
use super::leases::Lessor;
use super::outlet::{Outlet, Unsent};
use super::ring::Position;
use super::watch::Watch;
use super::wire::{ALIVE_EVERY, EndReason, Kind, StreamPlace};
use crate::tail::Place;
use std::sync::Arc;
use std::time::Duration;
use subjects::{Fault, StreamItem};
use tokio::time::{Instant, MissedTickBehavior};
use uuid::Uuid;

/// How many items are read from the database at a time.
const PAGE: u64 = 64;
/// How many changes are taken from memory at a time.
const BATCH: usize = 64;
/// How long reading a page may take: less than the silence after which a watcher gives up.
const PAGE_TIMEOUT: Duration = Duration::from_secs(5);

/// Where a lease begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// With everything that there is.
    New,
    /// In the middle of a snapshot, after an aggregate; changes follow from where it was begun.
    Middle {
        /// The last aggregate that was told.
        after: Uuid,
        /// Where the snapshot was begun.
        head: Position,
    },
    /// With the changes after a position.
    Changes(Position),
}

pub(super) struct Lease<I> {
    pub subject: &'static str,
    pub feed: Arc<Feed<I>>,
    pub watch: Watch<I>,
    pub outlet: Outlet,
    pub credit: u32,
    pub until: Instant,
    pub lessor: Arc<Lessor>,
}

/// Why nothing more is told.
enum Stop {
    End(EndReason),
    Unsent(Unsent),
}

impl From<Unsent> for Stop {
    fn from(unsent: Unsent) -> Stop {
        Stop::Unsent(unsent)
    }
}

impl<I: StreamItem> Lease<I> {
    /// Tells the watcher. None: it could not be told how it ended.
    pub(super) async fn run(mut self, start: Start) -> Option<EndReason> {
        let mut reached = None;
        let reason = match self.tell(start, &mut reached).await {
            Stop::End(reason) => reason,
            Stop::Unsent(error) => {
                tracing::debug!(subject = self.subject, error = %error, "a lease broke off");
                return None;
            }
        };
        self.outlet.end(reason, reached).await.ok()?;
        Some(reason)
    }

    /// `reached` is the place of the watcher, as far as it has one.
    async fn tell(&mut self, start: Start, reached: &mut Option<StreamPlace>) -> Stop {
        let position = match start {
            Start::Changes(position) => Ok(position),
            Start::New => {
                let head = self.feed.head();
                match self.outlet.say(Kind::Reset, self.after_event(head.place)).await {
                    Ok(()) => self.snapshot(head, None, reached).await,
                    Err(unsent) => Err(unsent.into()),
                }
            }
            Start::Middle { after, head } => {
                *reached = Some(self.in_snapshot(head.place, after));
                self.snapshot(head, Some(after), reached).await
            }
        };
        match position {
            Ok(position) => match self.changes(position, reached).await {
                Err(stop) => stop,
                Ok(never) => match never {},
            },
            Err(stop) => stop,
        }
    }

    /// Whatever changes while the pages are read is told afterwards, from where the feed was before.
    async fn snapshot(
        &mut self,
        head: Position,
        mut after: Option<Uuid>,
        reached: &mut Option<StreamPlace>,
    ) -> Result<Position, Stop> {
        loop {
            let items = match self.page(after).await {
                Ok(items) => items,
                Err(fault) => {
                    tracing::warn!(subject = self.subject, error = crate::dispatcher::chain(&fault), "no snapshot");
                    return Err(Stop::End(EndReason::Failed));
                }
            };
            let is_last = u64::try_from(items.len()).unwrap_or(u64::MAX) < PAGE;
            for item in items {
                let place = self.in_snapshot(head.place, item.id());
                after = place.after;
                if self.watch.admits(&item) {
                    self.check_credit()?;
                    let written = Written::of(item).map_err(|error| {
                        tracing::error!(subject = self.subject, error = %error, "an item cannot be written");
                        Stop::End(EndReason::Failed)
                    })?;
                    self.outlet.tell(Kind::Snapshot, place, &written.item, &written.json).await?;
                    self.pay();
                }
                *reached = Some(place);
            }
            if is_last {
                let place = self.after_event(head.place);
                self.outlet.say(Kind::Ready, place).await?;
                *reached = Some(place);
                return Ok(head);
            }
            self.check_time()?;
        }
    }

    async fn page(&self, after: Option<Uuid>) -> Result<Vec<I>, Fault> {
        let read = async {
            let _turn = self.lessor.snapshots.acquire().await.map_err(Fault::internal)?;
            self.watch.page(after, PAGE).await
        };
        tokio::time::timeout(PAGE_TIMEOUT, read).await.unwrap_or_else(|_elapsed| Err(Fault::deadline_exceeded()))
    }

    async fn changes(
        &mut self,
        mut position: Position,
        reached: &mut Option<StreamPlace>,
    ) -> Result<std::convert::Infallible, Stop> {
        *reached = Some(self.after_event(position.place));
        let mut news = self.feed.news();
        let mut alive = tokio::time::interval_at(Instant::now() + ALIVE_EVERY, ALIVE_EVERY);
        alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let leaving = self.lessor.leaving.clone();
        loop {
            self.check_time()?;
            news.mark_unchanged();
            let Some((changes, next)) = self.feed.after(position, BATCH) else {
                return Err(Stop::End(EndReason::Lagging));
            };
            let is_all = changes.len() < BATCH;
            for (sequence, written) in changes {
                let mut place = position.place;
                place.sequence = sequence;
                let place = self.after_event(place);
                if self.watch.admits(&written.item) {
                    self.check_credit()?;
                    self.outlet.tell(Kind::Change, place, &written.item, &written.json).await?;
                    self.pay();
                }
                *reached = Some(place);
            }
            position = next;
            *reached = Some(self.after_event(position.place));
            if !is_all {
                continue;
            }
            tokio::select! {
                () = leaving.cancelled() => {}
                () = tokio::time::sleep_until(self.until) => {}
                _ = news.changed() => {}
                _ = alive.tick() => self.outlet.say(Kind::Alive, self.after_event(position.place)).await?,
            }
        }
    }

    fn after_event(&self, events: Place) -> StreamPlace {
        StreamPlace { events, after: None, scope: self.watch.scope() }
    }

    fn in_snapshot(&self, events: Place, after: Uuid) -> StreamPlace {
        StreamPlace { events, after: Some(after), scope: self.watch.scope() }
    }

    fn check_time(&self) -> Result<(), Stop> {
        if self.lessor.leaving.is_cancelled() {
            Err(Stop::End(EndReason::Leaving))
        } else if Instant::now() >= self.until {
            Err(Stop::End(EndReason::Lease))
        } else {
            Ok(())
        }
    }

    fn check_credit(&self) -> Result<(), Stop> {
        if self.credit == 0 { Err(Stop::End(EndReason::Credit)) } else { Ok(()) }
    }

    fn pay(&mut self) {
        self.credit = self.credit.saturating_sub(1);
        self.lessor.metrics.told(self.subject);
    }
}
