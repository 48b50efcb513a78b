//! Whether anything that was given out before is still elsewhere.

use super::answer::{Delivery, delivery_subject};
use super::consume::{Consumer, OPEN_TIMEOUT};
use super::inbox;
use crate::within::within;
use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::PullConsumer;
use std::collections::{HashMap, HashSet};
use std::fmt;
use uuid::Uuid;

impl fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Elsewhere { asked, pending, between, deliveries, had } = self;
        let (asked, had) = (asked.len(), had.len());
        write!(
            f,
            "asked for {asked}, {had} of them had; {pending} waited for among {between:?}, {deliveries} deliveries"
        )
    }
}

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

/// An event that is here.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Here {
    /// Which delivery it came with, where that was its first.
    first_delivery: Option<u64>,
}

impl Here {
    pub(super) fn of(delivery: &Delivery) -> Here {
        Here { first_delivery: (delivery.delivered <= 1).then_some(delivery.consumer_sequence) }
    }
}

impl Elsewhere {
    /// Whether all that JetStream waited for is here: as many as it surely waited for are. These were here before it was
    /// asked, still are, and are not dealt with; or it has given them out before it answered, and never before that.
    pub(super) fn is_nothing(&self, held: &HashMap<i64, Here>) -> bool {
        let surely_waited_for = held.iter().filter(|(sequence, here)| match self.asked.get(sequence) {
            Some(event) => !self.had.contains(event),
            None => here.first_delivery.is_some_and(|number| number <= self.deliveries),
        });
        self.pending <= surely_waited_for.count()
    }

    /// Asks JetStream to give out again what is not here. Whoever has it may be gone, and JetStream would wait for it; or
    /// may be at it, and then the inbox sees to it that it is dealt with once.
    pub(super) async fn ask_for_it(&self, consumer: &Consumer, held: &HashMap<i64, Here>) -> anyhow::Result<()> {
        let (client, (floor, last)) = (consumer.handler.jetstream.client(), self.between);
        let asking = async {
            for sequence in floor + 1..=last.min(floor + ASKED_FOR) {
                if !held.contains_key(&i64::try_from(sequence)?) {
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

    /// Sequences from 1 on, each with the number of its first delivery.
    fn held(first_deliveries: &[Option<u64>]) -> HashMap<i64, Here> {
        (1..).zip(first_deliveries.iter().map(|&first_delivery| Here { first_delivery })).collect()
    }

    #[test]
    fn what_is_dealt_with_or_has_come_later_does_not_stand_for_what_is_elsewhere() {
        let events: Vec<Uuid> = (0..3).map(|_| Uuid::now_v7()).collect();
        let elsewhere = |pending, had: &[Uuid]| Elsewhere {
            asked: (1..=3).zip(events.iter().copied()).collect(),
            pending,
            between: (0, 5),
            deliveries: 5,
            had: had.iter().copied().collect(),
        };
        let three = held(&[Some(1), None, Some(3)]);
        assert!(elsewhere(3, &[]).is_nothing(&three));
        assert!(!elsewhere(4, &[]).is_nothing(&three));
        assert!(!elsewhere(3, &events[..1]).is_nothing(&three));
        assert!(elsewhere(2, &events[..1]).is_nothing(&three));
        assert!(!elsewhere(3, &[]).is_nothing(&held(&[Some(1), None])));
        // What was given out before JetStream answered was waited for, unless somebody else had it before.
        assert!(elsewhere(4, &[]).is_nothing(&held(&[Some(1), None, Some(3), Some(5)])));
        assert!(!elsewhere(4, &[]).is_nothing(&held(&[Some(1), None, Some(3), Some(6)])));
        assert!(!elsewhere(4, &[]).is_nothing(&held(&[Some(1), None, Some(3), None])));
    }
}
