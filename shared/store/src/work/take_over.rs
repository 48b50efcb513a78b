//! Whether anything that was given out before is still elsewhere.

use super::consume::{Consumer, OPEN_TIMEOUT};
use super::inbox;
use crate::within::within;
use async_nats::jetstream::consumer::PullConsumer;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// What was found, at one moment after `asked` had been here.
pub(super) struct Elsewhere {
    /// What was here when it was asked, by sequence.
    asked: HashMap<i64, Uuid>,
    /// How many events JetStream waited for.
    pending: usize,
    /// Those of the events here that have been dealt with.
    pub had: HashSet<Uuid>,
}

/// Looks. First at JetStream, then into the inbox: what was acknowledged before the first stands in the second.
pub(super) async fn look(
    consumer: &Consumer,
    pull_consumer: &PullConsumer,
    here: HashMap<i64, Uuid>,
) -> anyhow::Result<Elsewhere> {
    let info = within(OPEN_TIMEOUT, pull_consumer.get_info(), "looking at the consumer").await?;
    let event_ids: Vec<Uuid> = here.values().copied().collect();
    let had = inbox::had(consumer.store.read(), consumer.handler.name(), &event_ids).await?;
    Ok(Elsewhere { asked: here, pending: info.num_ack_pending, had })
}

impl Elsewhere {
    /// Whether all that JetStream waited for is here: as many as were here then, still are, and are not dealt with. Each
    /// of those was surely waited for, so there was no other.
    pub(super) fn is_nothing(&self, held: &HashSet<i64>) -> bool {
        let surely_waited_for =
            self.asked.iter().filter(|(sequence, event)| held.contains(sequence) && !self.had.contains(event));
        self.pending <= surely_waited_for.count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dealt_with_or_has_come_later_does_not_stand_for_what_is_elsewhere() {
        let events: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
        let asked: HashMap<i64, Uuid> = (1..=3).zip(events.iter().copied()).collect();
        let held = HashSet::from([1, 2, 3, 4]);
        let elsewhere =
            |pending, had: &[Uuid]| Elsewhere { asked: asked.clone(), pending, had: had.iter().copied().collect() };
        assert!(elsewhere(3, &[]).is_nothing(&held));
        assert!(!elsewhere(4, &[]).is_nothing(&held));
        assert!(!elsewhere(3, &events[..1]).is_nothing(&held));
        assert!(elsewhere(2, &events[..1]).is_nothing(&held));
        assert!(!elsewhere(3, &[]).is_nothing(&HashSet::from([1, 2])));
    }
}
