//! Doubts: whether the stream still has what it should, where neither its beginning nor its end says so.
//!
//! Every few seconds some rows are compared with what stands in their places, and the stream's own numbers are looked at.
//! Where something is missing that its limits do not explain, the whole stream is read, beside the relay's work.

use super::audit::{Examined, audit};
use super::places::{Keeper, Place};
use super::session::Session;
use super::stream::{Seen, Stream};
use crate::store::Store;
use rand::RngExt as _;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How often the stream is doubted.
const EVERY: Duration = Duration::from_secs(5);

pub(super) struct Doubts {
    store: Store,
    next: Instant,
    /// What was missing between the first and the last event of a stream that was read as a whole.
    audited_holes: Option<(Keeper, i64)>,
    /// From where on the stream is still to be read.
    to_audit: Option<(Keeper, i64)>,
    under_way: Option<Audit>,
}

/// A stream being read. It ends with its owner.
struct Audit {
    seen: Seen,
    reading: JoinHandle<anyhow::Result<Examined>>,
}

impl Drop for Audit {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl Doubts {
    pub(super) fn new(store: &Store) -> Doubts {
        Doubts { store: store.clone(), next: Instant::now(), audited_holes: None, to_audit: None, under_way: None }
    }

    /// Rows whose events the stream has lost, as far as that is known by now. An error is the database's.
    pub(super) async fn look(
        &mut self,
        session: &mut Session,
        stream: &mut Stream,
        seen: &Seen,
    ) -> anyhow::Result<Vec<Place>> {
        if self.under_way.as_ref().is_some_and(|audit| !audit.reading.is_finished()) {
            return Ok(Vec::new());
        }
        if let Some(audit) = self.under_way.take() {
            return Ok(self.finish(audit, &seen.keeper).await);
        }
        if Instant::now() < self.next {
            return Ok(Vec::new());
        }
        self.next = Instant::now() + EVERY;
        self.to_audit.take_if(|(keeper, _)| *keeper != seen.keeper);
        if self.to_audit.is_none()
            && let Some(doubt) = self.doubt(session, stream, seen).await?
        {
            tracing::warn!(stream = seen.keeper.stream, doubt, "the stream may have lost events, it is read");
            self.to_audit = Some((seen.keeper.clone(), 1));
        }
        if let Some((_, from)) = self.to_audit {
            self.begin(stream, seen, from);
        }
        Ok(Vec::new())
    }

    fn begin(&mut self, stream: &Stream, seen: &Seen, from: i64) {
        let (store, jetstream, of) = (self.store.clone(), stream.jetstream().clone(), seen.clone());
        let reading = tokio::spawn(async move {
            let mut session = Session::connect(&store, "audit").await?;
            audit(&mut session, &jetstream, &of, from, None).await
        });
        self.under_way = Some(Audit { seen: seen.clone(), reading });
    }

    async fn finish(&mut self, mut audit: Audit, keeper: &Keeper) -> Vec<Place> {
        let examined = match (&mut audit.reading).await {
            Ok(Ok(examined)) => examined,
            Ok(Err(error)) => {
                tracing::warn!(error = format!("{error:#}"), "the stream could not be read, it will be tried again");
                return Vec::new();
            }
            Err(_aborted) => return Vec::new(),
        };
        if audit.seen.keeper != *keeper {
            self.to_audit = None;
            return Vec::new();
        }
        let (stream, lost) = (&keeper.stream, examined.lost.len());
        tracing::info!(stream, examined = examined.rows, lost, "the stream was read");
        self.to_audit = examined.next.map(|from| (keeper.clone(), from));
        if self.to_audit.is_some() {
            self.next = Instant::now();
        } else {
            self.audited_holes = Some((keeper.clone(), audit.seen.holes()));
        }
        examined.lost
    }

    /// What does not look right.
    async fn doubt(
        &mut self,
        session: &mut Session,
        stream: &mut Stream,
        seen: &Seen,
    ) -> anyhow::Result<Option<&'static str>> {
        let known_holes = match &mut self.audited_holes {
            Some((keeper, holes)) if *keeper == seen.keeper => {
                // The limits take holes away, too.
                *holes = seen.holes().min(*holes);
                *holes
            }
            _ => 0,
        };
        if seen.holes() > known_holes {
            return Ok(Some("events are missing in between"));
        }
        let (lowest, highest) = (session.lowest(&seen.keeper).await?, session.highest(&seen.keeper).await?);
        if lowest < 1 || highest < lowest {
            return Ok(None);
        }
        let (some, another) = (rand::rng().random_range(lowest..=highest), rand::rng().random_range(lowest..=highest));
        for sequence in [highest, some, another] {
            if let Some(place) = session.at_or_below(&seen.keeper, sequence).await?
                && is_lost(stream, seen, &place).await
            {
                return Ok(Some("an event does not stand in its place"));
            }
        }
        Ok(None)
    }
}

/// Whether the stream has not what it should have at this place. While NATS does not answer, nothing is known.
async fn is_lost(stream: &mut Stream, seen: &Seen, place: &Place) -> bool {
    if place.sequence < seen.first_sequence {
        return !seen.may_have_dropped(place.published_at);
    }
    match stream.id_at(place.sequence).await {
        Ok(Some(id)) => id != place.id,
        // It may just have been dropped.
        Ok(None) => match stream.look().await {
            Ok(now) if now.keeper == seen.keeper => {
                place.sequence >= now.first_sequence || !now.may_have_dropped(place.published_at)
            }
            _ => false,
        },
        Err(_) => false,
    }
}
