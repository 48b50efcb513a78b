//! Whether anything that was given out before is still elsewhere.

use super::answer::delivery_subject;
use super::consume::{Consumer, OPEN_TIMEOUT};
use super::inbox;
use crate::within::within;
use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::PullConsumer;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// How many places of the stream are asked for at a time. More than JetStream gives out at a time lie between the first
/// and the last of them only where most are not for this consumer.
const ASKED_FOR: u64 = 10_000;

/// What was found, at one moment after `asked` had been here.
pub(super) struct Elsewhere {
    /// What was here when it was asked, by sequence.
    asked: HashMap<i64, Uuid>,
    /// How many events JetStream waited for.
    pending: usize,
    /// The places of the stream among which these are: behind the one, up to the other.
    between: (u64, u64),
    /// How many deliveries there have been.
    deliveries: u64,
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
    Ok(Elsewhere {
        asked: here,
        pending: info.num_ack_pending,
        between: (info.ack_floor.stream_sequence, info.delivered.stream_sequence),
        deliveries: info.delivered.consumer_sequence,
        had,
    })
}

impl Elsewhere {
    /// Whether all that JetStream waited for is here: as many as were here then, still are, and are not dealt with. Each
    /// of those was surely waited for, so there was no other.
    pub(super) fn is_nothing(&self, held: &HashSet<i64>) -> bool {
        let surely_waited_for =
            self.asked.iter().filter(|(sequence, event)| held.contains(sequence) && !self.had.contains(event));
        self.pending <= surely_waited_for.count()
    }

    /// Asks JetStream to give out again what is not here. Whoever has it may be gone, and JetStream would wait for it; or
    /// may be at it, and then the inbox sees to it that it is dealt with once.
    pub(super) async fn ask_for_it(&self, consumer: &Consumer, held: &HashSet<i64>) -> anyhow::Result<()> {
        let (client, (floor, last)) = (consumer.handler.jetstream.client(), self.between);
        let asking = async {
            for sequence in floor + 1..=last.min(floor + ASKED_FOR) {
                if !held.contains(&i64::try_from(sequence)?) {
                    let delivery = delivery_subject(&consumer.handler.declaration, sequence, self.deliveries);
                    client.publish(delivery, AckKind::Nak(None).into()).await?;
                }
            }
            Ok::<_, anyhow::Error>(())
        };
        within(OPEN_TIMEOUT, asking, "asking for what was given out before").await
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
        let elsewhere = |pending, had: &[Uuid]| Elsewhere {
            asked: asked.clone(),
            pending,
            between: (0, 3),
            deliveries: 3,
            had: had.iter().copied().collect(),
        };
        assert!(elsewhere(3, &[]).is_nothing(&held));
        assert!(!elsewhere(4, &[]).is_nothing(&held));
        assert!(!elsewhere(3, &events[..1]).is_nothing(&held));
        assert!(elsewhere(2, &events[..1]).is_nothing(&held));
        assert!(!elsewhere(3, &[]).is_nothing(&HashSet::from([1, 2])));
    }
}
