//! A batch of events: all in one transaction where all succeed, and each in its own where one fails.

use super::answer::{Delivery, while_it_is_told_of};
use super::consume::Consumer;
use super::failure::{chain, delay, is_passing};
use super::handler::Work;
use super::inbox;
use super::lines::line_of;
use super::one::{self, Ending};
use crate::dead_letters;
use crate::outbox::Origin;
use crate::planted::{self, Planted};
use async_nats::jetstream::AckKind;
use futures::future::join_all;
use futures::{FutureExt as _, StreamExt as _, stream};
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use subjects::Fault;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;
use uuid::Uuid;

/// How many events are handled in one transaction at the most.
pub(super) const BATCH: usize = 64;
/// How many batches are at work at a time: one is in the database while the other one is read.
pub(super) const BATCHES: usize = 2;
/// How long a whole batch may take before its events are handled one by one: it holds what they lock until its end.
const TIMEOUT: Duration = Duration::from_secs(2);
/// After how long it is committed for the events that it has got to, so that nothing is lost of them where all is slow.
const COMMIT_AFTER: Duration = Duration::from_millis(500);
/// How many of the events of a batch that has failed are handled at a time.
const PARALLEL: usize = 8;

/// Handles a batch of a consumer whose events come in any order, and answers for each of its events.
pub(super) async fn handle(consumer: &Consumer, deliveries: Vec<Delivery>) {
    if planted::is(Planted::AckBeforeCommit) {
        acknowledge(&deliveries).await;
    }
    let handling = async {
        let Left { alone, away } = together(consumer, &deliveries).await;
        if consumer.shutdown.is_cancelled() {
            for delivery in alone {
                delivery.give_back().await;
            }
        } else if away {
            for delivery in alone {
                delivery.again(delay(delivery.delivered)).await;
            }
        } else {
            stream::iter(alone).for_each_concurrent(PARALLEL, |delivery| by_itself(consumer, delivery)).await;
        }
    };
    while_it_is_told_of(&deliveries, consumer.progress_every(), handling).await;
}

/// Handles what can be handled together of a batch whose events come in order, and answers for it. What is left comes
/// back: of an aggregate, an event with all that follow.
pub(super) async fn in_order(consumer: &Consumer, deliveries: Vec<Delivery>) -> Vec<Delivery> {
    let left: HashSet<Uuid> = while_it_is_told_of(&deliveries, consumer.progress_every(), async {
        let Left { alone, .. } = together(consumer, &deliveries).await;
        alone.iter().map(|delivery| delivery.incoming.event_id).collect()
    })
    .await;
    let mut deliveries = deliveries;
    deliveries.retain(|delivery| left.contains(&delivery.incoming.event_id));
    deliveries
}

/// What could not be handled together.
struct Left<'a> {
    /// In the order in which it was given.
    alone: Vec<&'a Delivery>,
    /// Because the database does not answer.
    away: bool,
}

async fn together<'a>(consumer: &Consumer, deliveries: &'a [Delivery]) -> Left<'a> {
    let is_ordered = consumer.handler.declaration.ordered;
    let mut readable: Vec<(&Delivery, Work)> = Vec::with_capacity(deliveries.len());
    let mut alone: Vec<&Delivery> = Vec::new();
    // Aggregates of which an event goes alone, where those that follow have to wait for it.
    let mut waits: HashSet<Uuid> = HashSet::new();
    for delivery in deliveries {
        let incoming = &delivery.incoming;
        match consumer.handler.prepare(incoming) {
            // What has failed before goes alone, so that it takes no other event with it.
            Ok(work)
                if !consumer.handler.settings.one_by_one
                    && consumer.failures.of(incoming) == 0
                    && !waits.contains(&line_of(delivery)) =>
            {
                readable.push((delivery, work));
            }
            _ => {
                alone.push(delivery);
                if is_ordered {
                    waits.insert(line_of(delivery));
                }
            }
        }
    }
    // All take their locks in the same order, and an aggregate's events come in theirs.
    readable.sort_by_key(|(delivery, _)| (delivery.incoming.aggregate_id, delivery.incoming.place.sequence));
    let mut rest = readable.as_slice();
    let mut away = false;
    // Whoever leaves commits what it is at, and no more.
    while rest.len() > 1 && !consumer.shutdown.is_cancelled() {
        match commit(consumer, rest).await {
            Ok(Committed { begun, behind, .. }) => {
                let (looked_at, left) = rest.split_at(begun.min(rest.len()));
                let (behind, dealt_with): (Vec<_>, Vec<_>) = looked_at
                    .iter()
                    .map(|(delivery, _)| *delivery)
                    .partition(|delivery| delivery.incoming.aggregate_id.is_some_and(|id| behind.contains(&id)));
                alone.extend(behind);
                answer_for(consumer, dealt_with).await;
                rest = left;
            }
            Err(fault) => {
                let (handler, error) = (consumer.handler.name(), chain(&fault));
                away = is_passing(&fault) && !one::database_answers(consumer).await;
                if away {
                    tracing::warn!(handler, error, "events cannot be handled right now, they will come again");
                } else {
                    tracing::debug!(handler, error, "a batch failed, its events go one by one");
                }
                break;
            }
        }
    }
    alone.extend(rest.iter().map(|(delivery, _)| *delivery));
    alone.sort_by_key(|delivery| delivery.incoming.place.sequence);
    Left { alone, away }
}

/// They are dealt with.
async fn answer_for(consumer: &Consumer, dealt_with: Vec<&Delivery>) {
    if consumer.handler.declaration.ordered {
        join_all(dealt_with.into_iter().map(|delivery| delivery.surely(AckKind::Ack))).await;
    } else {
        for delivery in dealt_with {
            delivery.done().await;
        }
    }
}

async fn by_itself(consumer: &Consumer, delivery: &Delivery) {
    match one::handle(consumer, &delivery.incoming).await {
        Ending::Done => delivery.done().await,
        Ending::Parked => delivery.surely(AckKind::Term).await,
        Ending::Again => delivery.again(delay(delivery.delivered)).await,
    }
}

/// Handles events in one transaction, which is committed for all, unless it takes long.
async fn commit(consumer: &Consumer, readable: &[(&Delivery, Work)]) -> Result<Committed, Fault> {
    let handling = AssertUnwindSafe(in_transaction(consumer, readable)).catch_unwind().await;
    let committed = handling.unwrap_or_else(|_panic| Err(Fault::internal("a handler panicked")))?;
    consumer.count_many("handled", committed.handled);
    consumer.count_many("repeated", committed.repeated);
    Ok(committed)
}

struct Committed {
    /// How many events were looked at, from the first one on.
    begun: usize,
    /// How many of these had not been dealt with before, and are now.
    handled: usize,
    /// How many had been.
    repeated: usize,
    /// Aggregates of an ordered handler that have a dead letter: nothing was done with their events.
    behind: HashSet<Uuid>,
}

async fn in_transaction(consumer: &Consumer, readable: &[(&Delivery, Work)]) -> Result<Committed, Fault> {
    let deadline = Instant::now() + TIMEOUT;
    let handler = &consumer.handler;
    let handling = consumer.store.transaction(&NOTHING, deadline, |tx| async move {
        let started = Instant::now();
        let mut behind = HashSet::new();
        if handler.declaration.ordered {
            let aggregates = readable.iter().filter_map(|(delivery, _)| delivery.incoming.aggregate_id).collect();
            inbox::lock_aggregates(&tx, handler.name(), &aggregates).await?;
            behind = dead_letters::which_have_any(&tx, handler.name(), &aggregates).await?;
        }
        let is_behind = |delivery: &Delivery| delivery.incoming.aggregate_id.is_some_and(|id| behind.contains(&id));
        let event_ids = readable.iter().map(|(delivery, _)| *delivery).filter(|delivery| !is_behind(delivery));
        let event_ids: Vec<Uuid> = event_ids.map(|delivery| delivery.incoming.event_id).collect();
        let mut entered = inbox::enter_all(&tx, handler.name(), &event_ids).await?;
        let (mut begun, mut handled, mut repeated) = (0, 0, 0);
        for (delivery, work) in readable {
            if begun > 0 && started.elapsed() >= COMMIT_AFTER {
                let left: Vec<Uuid> = entered.into_iter().collect();
                inbox::leave(&tx, handler.name(), &left).await?;
                break;
            }
            begun += 1;
            // One that is there twice is handled once.
            if entered.remove(&delivery.incoming.event_id) {
                tx.now_for(consumer.origins.origin(&delivery.incoming));
                work(tx.clone()).instrument(consumer.span(&delivery.incoming)).await?;
                handled += 1;
            } else if !is_behind(delivery) {
                repeated += 1;
            }
        }
        Ok(Committed { begun, handled, repeated, behind })
    });
    timeout_at(deadline, handling).await.unwrap_or_else(|_elapsed| Err(Fault::deadline_exceeded()))
}

/// What a transaction has as its origin before its first event.
static NOTHING: std::sync::LazyLock<Origin> = std::sync::LazyLock::new(Origin::default);

async fn acknowledge(deliveries: &[Delivery]) {
    for delivery in deliveries {
        delivery.done().await;
    }
}
