//! One round of the relay: a batch is read, published and noted.

use super::publish::{Failed, Outcome, Publisher};
use super::session::Session;
use crate::metrics::StoreMetrics;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How long an aggregate rests whose next event could not be published while the stream was there.
const REST: Duration = Duration::from_secs(10);
/// How many aggregates may rest. When it is more, the trouble is not theirs.
const MAX_RESTING: usize = 1_024;

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
    pub publisher: Publisher,
    pub metrics: StoreMetrics,
    /// The stream by whose incarnation all published rows are known to be noted.
    settled: Option<DateTime<Utc>>,
    resting: Resting,
}

impl Rounds {
    pub(super) fn new(session: Session, publisher: Publisher, metrics: StoreMetrics) -> Rounds {
        Rounds { session, publisher, metrics, settled: None, resting: Resting::default() }
    }

    /// An error: the database session is of no use any more.
    pub(super) async fn next(&mut self) -> anyhow::Result<Round> {
        let resting = self.resting.now(Instant::now());
        let waiting = self.session.next_batch(&resting).await?;
        let before = match self.publisher.incarnation().await {
            Ok(incarnation) => incarnation,
            // Nobody is kept waiting by it.
            Err(_) if waiting.is_empty() => return Ok(Round::Idle),
            Err(error) => return Ok(Round::Stuck(error)),
        };
        if self.settled != Some(before) {
            self.settle(before).await?;
            return Ok(Round::Progress);
        }
        if waiting.is_empty() {
            return Ok(Round::Idle);
        }
        let outcome = match self.publisher.publish(&waiting).await {
            Ok(outcome) => outcome,
            Err(error) => return Ok(Round::Stuck(error)),
        };
        match self.publisher.incarnation_now().await {
            Ok(after) if after == before => {}
            // Nobody knows which of the two streams took what. All is published again, after what the first one kept.
            Ok(_) => return Ok(Round::Progress),
            Err(error) => return Ok(Round::Stuck(error)),
        }
        self.note(before, &outcome).await?;
        Ok(self.set_aside(outcome))
    }

    /// A stream that was made anew has lost all that an earlier one kept: that is published again, before anything
    /// else, so that events of an aggregate stay in order.
    async fn settle(&mut self, incarnation: DateTime<Utc>) -> anyhow::Result<()> {
        let stream = self.publisher.stream();
        let events = self.session.put_back_of_other_incarnations(stream, incarnation).await?;
        if events > 0 {
            tracing::warn!(stream, events, "the stream was made anew, its events are published again");
        }
        self.settled = Some(incarnation);
        Ok(())
    }

    async fn note(&mut self, incarnation: DateTime<Utc>, outcome: &Outcome) -> anyhow::Result<()> {
        let acknowledged = &outcome.acknowledged;
        if acknowledged.is_empty() {
            return Ok(());
        }
        let stream = self.publisher.stream();
        if !self.session.note_published(stream, incarnation, acknowledged).await? {
            self.session.note_in_place_of_lost(stream, incarnation, acknowledged).await?;
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
                self.metrics.relay_errors.inc();
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

/// Aggregates that are not tried, and until when.
#[derive(Default)]
struct Resting(HashMap<Uuid, Instant>);

impl Resting {
    /// False: there are too many.
    fn add(&mut self, failed: &Failed) -> bool {
        let has_room = self.0.len() < MAX_RESTING;
        if has_room {
            self.0.insert(failed.aggregate, Instant::now() + REST);
        }
        has_room
    }

    fn now(&mut self, now: Instant) -> Vec<Uuid> {
        self.0.retain(|_, until| *until > now);
        self.0.keys().copied().collect()
    }
}
