//! One round of the relay: a batch is read, published and noted; and before anything is published, what the stream has
//! lost is put back.

use super::doubts::Doubts;
use super::metrics::{RelayMetrics, Sign};
use super::places::Keeper;
use super::publish::{Outcome, Publisher};
use super::resting::Resting;
use super::session::Session;
use super::stream::{Seen, Stream};
use anyhow::Context as _;
use tokio::time::Instant;

/// What a round came to.
pub(super) enum Round {
    /// Nothing waits that could be published now.
    Idle,
    /// There may be more.
    Progress,
    /// NATS did not take what waits: it is worth a pause.
    Stuck(anyhow::Error),
}

pub(super) struct Rounds {
    pub session: Session,
    pub stream: Stream,
    pub publisher: Publisher,
    pub metrics: RelayMetrics,
    pub doubts: Doubts,
    known: Option<Known>,
    resting: Resting,
}

/// The stream at which all published rows are noted.
struct Known {
    keeper: Keeper,
    /// No row is noted at a higher sequence.
    highest: i64,
}

impl Rounds {
    pub(super) fn new(
        session: Session,
        stream: Stream,
        publisher: Publisher,
        metrics: RelayMetrics,
        doubts: Doubts,
    ) -> Rounds {
        Rounds { session, stream, publisher, metrics, doubts, known: None, resting: Resting::default() }
    }

    /// An error: the database session is of no use any more.
    pub(super) async fn next(&mut self) -> anyhow::Result<Round> {
        let began = Instant::now();
        let resting = self.resting.now(began);
        let waiting = self.session.next_batch(&resting).await?;
        let before = match self.stream.seen().await {
            Ok(seen) => seen,
            // Nobody is kept waiting by it.
            Err(_) if waiting.is_empty() && !self.session.has_more() => return Ok(Round::Idle),
            Err(error) => return Ok(Round::Stuck(error)),
        };
        if self.settle(&before).await? || self.look_for_what_is_lost(&before).await? {
            return Ok(Round::Progress);
        }
        if waiting.is_empty() {
            return Ok(if self.session.has_more() { Round::Progress } else { Round::Idle });
        }
        let outcome = self.publisher.publish(&self.stream, &waiting).await;
        let after = match self.stream.look().await {
            Ok(after) if after.keeper == before.keeper => after,
            // Nobody knows which of the two streams took what. All is published again, after what the first one kept.
            Ok(_) => return Ok(Round::Progress),
            Err(error) => return Ok(Round::Stuck(error)),
        };
        self.note(&before.keeper, &outcome).await?;
        self.settle(&after).await?;
        self.metrics.batch_seconds.observe(began.elapsed().as_secs_f64());
        Ok(self.set_aside(outcome))
    }

    /// Puts back what a stream cannot have that was made anew, or that ends before an event that it had. True: nothing
    /// that was read before may be published, since events of an aggregate stay in order.
    async fn settle(&mut self, seen: &Seen) -> anyhow::Result<bool> {
        let keeper = &seen.keeper;
        let stream = &keeper.stream;
        match &mut self.known {
            Some(known) if known.keeper == *keeper => {
                if seen.last_sequence >= known.highest {
                    return Ok(false);
                }
                let events = self.session.put_back_above(keeper, seen.last_sequence).await?;
                tracing::warn!(stream, events, "the stream has lost its end, its events are published again");
                self.metrics.put_back(Sign::LastSequence, events);
                known.highest = seen.last_sequence;
            }
            _ => {
                let events = self.session.put_back_of_other_incarnations(keeper).await?;
                if events > 0 {
                    tracing::warn!(stream, events, "the stream was made anew, its events are published again");
                    self.metrics.put_back(Sign::Incarnation, events);
                }
                let highest = self.session.highest(keeper).await?;
                self.known = Some(Known { keeper: keeper.clone(), highest });
            }
        }
        Ok(true)
    }

    /// Looks from time to time whether the stream has what it should. True: it has not.
    async fn look_for_what_is_lost(&mut self, seen: &Seen) -> anyhow::Result<bool> {
        let lost = self.doubts.look(&mut self.session, &mut self.stream, seen).await?;
        if lost.is_empty() {
            return Ok(false);
        }
        let events = self.session.put_back_exactly(&seen.keeper, &lost).await?;
        tracing::warn!(stream = seen.keeper.stream, events, "the stream has lost events, they are published again");
        self.metrics.put_back(Sign::Audit, events);
        Ok(events > 0)
    }

    async fn note(&mut self, keeper: &Keeper, outcome: &Outcome) -> anyhow::Result<()> {
        let acknowledged = &outcome.acknowledged;
        let sequences = || acknowledged.iter().map(|event| event.sequence);
        let (Some(lowest), Some(highest)) = (sequences().min(), sequences().max()) else { return Ok(()) };
        let known = self.known.as_mut().context("nothing is published before the stream is known")?;
        let mut taken = None;
        if lowest <= known.highest {
            taken = self.session.lowest_taken(keeper, acknowledged).await?;
        }
        if taken.is_none() && !self.session.note_published(keeper, acknowledged).await? {
            taken = Some(self.session.lowest_taken(keeper, acknowledged).await?.context("a place is taken by nobody")?);
        }
        known.highest = known.highest.max(highest);
        if let Some(lowest) = taken {
            let events = self.session.note_in_place_of_lost(keeper, acknowledged, lowest).await?;
            tracing::warn!(
                stream = keeper.stream,
                events,
                lowest,
                "the stream has lost events and given their places away, they are published again"
            );
            self.metrics.put_back(Sign::TakenPlace, events);
            known.highest = highest;
        }
        self.metrics.published.inc_by(u64::try_from(acknowledged.len()).unwrap_or(0));
        Ok(())
    }

    /// One event that cannot be published keeps back its own aggregate only: that rests for a while. Where nothing was
    /// taken it may be JetStream's trouble instead, for which the relay pauses.
    fn set_aside(&mut self, outcome: Outcome) -> Round {
        let some_were_taken = !outcome.acknowledged.is_empty();
        let mut round = Round::Progress;
        for failed in outcome.failed {
            if (failed.is_its_own || some_were_taken) && self.resting.add(&failed) {
                self.metrics.errors.inc();
                let error = format!("{:#}", failed.error);
                tracing::warn!(
                    event.id = %failed.event,
                    aggregate.id = %failed.aggregate,
                    error,
                    "an event was not published, its aggregate has to wait"
                );
            } else if !some_were_taken {
                round = Round::Stuck(failed.error);
            }
        }
        round
    }
}
