//! A batch of events: all in one transaction where all succeed, and each in its own where one fails.

use super::answer::Delivery;
use super::consume::Consumer;
use super::failure::{chain, delay, is_passing};
use super::handler::Work;
use super::inbox;
use super::one::{self, Ending};
use crate::outbox::Origin;
use crate::planted::{self, Planted};
use async_nats::jetstream::AckKind;
use futures::{FutureExt as _, StreamExt as _, stream};
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use subjects::Fault;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;
use uuid::Uuid;

/// How long a whole batch may take before its events are handled one by one: it holds what they lock until its end.
const TIMEOUT: Duration = Duration::from_secs(2);
/// After how long it is committed for the events that it has got to, so that nothing is lost of them where all is slow.
const COMMIT_AFTER: Duration = Duration::from_millis(500);
/// How many of the events of a batch that has failed are handled at a time.
const PARALLEL: usize = 8;

/// Handles a batch and answers for each of its events.
pub(super) async fn handle(consumer: &Consumer, deliveries: Vec<Delivery>) {
    let keeping = async {
        loop {
            tokio::time::sleep(consumer.progress_every()).await;
            for delivery in &deliveries {
                delivery.still_at_it().await;
            }
        }
    };
    tokio::select! {
        () = handle_all(consumer, &deliveries) => {}
        () = keeping => {}
    }
}

async fn handle_all(consumer: &Consumer, deliveries: &[Delivery]) {
    if planted::is(Planted::AckBeforeCommit) {
        acknowledge(deliveries).await;
    }
    let mut readable: Vec<(&Delivery, Work)> = Vec::with_capacity(deliveries.len());
    let mut alone: Vec<&Delivery> = Vec::new();
    for delivery in deliveries {
        let incoming = &delivery.incoming;
        match consumer.handler.prepare(incoming) {
            // What has failed before goes alone, so that it takes no other event with it.
            Ok(work) if !consumer.handler.settings.one_by_one && consumer.failures.of(incoming) == 0 => {
                readable.push((delivery, work));
            }
            _ => alone.push(delivery),
        }
    }
    // All take their locks in the same order, and an aggregate's events come in theirs.
    readable.sort_by_key(|(delivery, _)| (delivery.incoming.aggregate_id, delivery.incoming.place.sequence));
    let mut rest = readable.as_slice();
    while rest.len() > 1 {
        match together(consumer, rest).await {
            Ok(begun) => {
                let (dealt_with, left) = rest.split_at(begun.min(rest.len()));
                for (delivery, _) in dealt_with {
                    delivery.done().await;
                }
                rest = left;
            }
            Err(fault) if is_passing(&fault) && !one::database_answers(consumer).await => {
                let (handler, error) = (consumer.handler.name(), chain(&fault));
                tracing::warn!(handler, error, "events cannot be handled right now, they will come again");
                for delivery in alone.into_iter().chain(rest.iter().map(|(delivery, _)| *delivery)) {
                    delivery.again(delay(delivery.delivered)).await;
                }
                return;
            }
            Err(fault) => {
                let (handler, error) = (consumer.handler.name(), chain(&fault));
                tracing::debug!(handler, error, "a batch failed, its events go one by one");
                break;
            }
        }
    }
    alone.extend(rest.iter().map(|(delivery, _)| *delivery));
    stream::iter(alone).for_each_concurrent(PARALLEL, |delivery| by_itself(consumer, delivery)).await;
}

async fn by_itself(consumer: &Consumer, delivery: &Delivery) {
    match one::handle(consumer, &delivery.incoming).await {
        Ending::Done => delivery.done().await,
        Ending::Parked => delivery.surely(AckKind::Term).await,
        Ending::Again => delivery.again(delay(delivery.delivered)).await,
    }
}

/// Handles events in one transaction. Answers how many, from the first one on, it is committed for: all, unless it takes
/// long.
async fn together(consumer: &Consumer, readable: &[(&Delivery, Work)]) -> Result<usize, Fault> {
    let handling = AssertUnwindSafe(in_transaction(consumer, readable)).catch_unwind().await;
    let Committed { begun, handled } = handling.unwrap_or_else(|_panic| Err(Fault::internal("a handler panicked")))?;
    consumer.count_many("handled", handled);
    consumer.count_many("repeated", begun.saturating_sub(handled));
    Ok(begun)
}

struct Committed {
    /// How many events were looked at, from the first one on.
    begun: usize,
    /// How many of these had not been dealt with before.
    handled: usize,
}

async fn in_transaction(consumer: &Consumer, readable: &[(&Delivery, Work)]) -> Result<Committed, Fault> {
    let deadline = Instant::now() + TIMEOUT;
    let name = consumer.handler.name();
    let event_ids: Vec<Uuid> = readable.iter().map(|(delivery, _)| delivery.incoming.event_id).collect();
    let event_ids = &event_ids;
    let handling = consumer.store.transaction(&NOTHING, deadline, |tx| async move {
        let started = Instant::now();
        let mut entered = inbox::enter_all(&tx, name, event_ids).await?;
        let mut handled = 0;
        for (begun, (delivery, work)) in readable.iter().enumerate() {
            if begun > 0 && started.elapsed() >= COMMIT_AFTER {
                let left: Vec<Uuid> = entered.into_iter().collect();
                inbox::leave(&tx, name, &left).await?;
                return Ok(Committed { begun, handled });
            }
            // One that is there twice is handled once.
            if entered.remove(&delivery.incoming.event_id) {
                tx.now_for(consumer.origins.origin(&delivery.incoming));
                work(tx.clone()).instrument(consumer.span(&delivery.incoming)).await?;
                handled += 1;
            }
        }
        Ok(Committed { begun: readable.len(), handled })
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
