//! A consumer whose events come in order: those of an aggregate one after the other, those of several aggregates at once.
//! Events that wait are handled many in one transaction; where that fails, each line goes on alone, see [`line`].
//!
//! JetStream pins one replica at a time, which is given all new events. What another one was given and has not
//! acknowledged may come after them, though: when the consumer opens, and whenever deliveries are missing, nothing new is
//! begun until all of that is here or dealt with, for which it is asked before its time is over; see [`take_over`].

use super::answer::{Delivery, give_back};
use super::batch::{self, BATCH, BATCHES};
use super::consume::{Consumer, OPEN_TIMEOUT, Opened, receive};
use super::line::Line;
use super::lines::{Lines, line_of};
use super::take_over::{self, Elsewhere};
use crate::within::within;
use async_nats::jetstream::AckKind;
use futures::future::{BoxFuture, join_all};
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use platform::ConsumerDeclaration;
use std::collections::HashSet;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How many lines are at work at a time of those that go alone.
const PARALLEL: usize = 8;
/// How many events are held at the most: more than JetStream gives out at a time.
const MAX_HELD: usize = 2_048;
/// The pause between two looks whether all is here.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Ends with `Ok` when the consumer is to stop, and what had begun is done.
pub(super) async fn consume(consumer: &Consumer, opened: &mut Opened) -> anyhow::Result<()> {
    let permits = Semaphore::new(PARALLEL);
    let leaving = CancellationToken::new();
    let mut lines = Lines::default();
    let mut batches = FuturesUnordered::new();
    let mut alone = FuturesUnordered::new();
    let mut looking: Option<BoxFuture<'_, anyhow::Result<Elsewhere>>> = None;
    let mut all_is_here = false;
    // How often it was not.
    let mut looked_in_vain: u32 = 0;
    let mut last_delivery: Option<u64> = None;
    let mut progress = tokio::time::interval(consumer.progress_every());
    let stop = consumer.is_to_stop();
    tokio::pin!(stop);
    let outcome = loop {
        if all_is_here {
            // While all who go alone are busy, the rest waits, and becomes a batch.
            while batches.len() < BATCHES && permits.available_permits() > 0 && lines.is_any_ready() {
                batches.push(together(consumer, lines.next(BATCH)));
            }
        } else if looking.is_none() && lines.holds_any() {
            let events = lines.events();
            let pull_consumer = opened.consumer.clone();
            looking = Some(
                async move {
                    sleep(LOOK_EVERY).await;
                    take_over::look(consumer, &pull_consumer, events).await
                }
                .boxed(),
            );
        }
        tokio::select! {
            biased;
            () = &mut stop => break Ok(()),
            Some(line) = alone.next(), if !alone.is_empty() => lines.end(line),
            Some(Worked { ended, left }) = batches.next(), if !batches.is_empty() => {
                ended.into_iter().for_each(|line| lines.end(line));
                alone.extend(left.into_iter().map(|line| line.until_it_is_dealt_with(consumer, &permits, &leaving)));
            }
            received = receive(opened), if lines.len() < MAX_HELD => match received {
                Ok(delivery) => {
                    let number = delivery.consumer_sequence;
                    if last_delivery.is_none_or(|last| number != last + 1) {
                        all_is_here = false;
                        looking = None;
                    }
                    last_delivery = Some(number);
                    lines.add(delivery);
                }
                Err(error) => break Err(error),
            },
            // Behind the deliveries, so that those which JetStream made before it answered are here.
            Some(looked) = maybe(&mut looking) => {
                looking = None;
                match looked {
                    Ok(elsewhere) => {
                        let had = lines.take_had(&elsewhere.had);
                        join_all(had.iter().map(|delivery| delivery.surely(AckKind::Ack))).await;
                        // A delivery that went missing meanwhile has begun it anew.
                        let held = lines.held();
                        all_is_here = elsewhere.is_nothing(&held);
                        looked_in_vain = if all_is_here { 0 } else { looked_in_vain.saturating_add(1) };
                        let handler = consumer.handler.name();
                        tracing::debug!(handler, all_is_here, held = held.len(), ?elsewhere, "looked for what is elsewhere");
                        if is_to_be_asked_for(looked_in_vain)
                            && let Err(error) = elsewhere.ask_for_it(consumer, &held).await
                        {
                            tracing::debug!(error = format!("{error:#}"), "what is elsewhere could not be asked for");
                        }
                    }
                    Err(error) => tracing::debug!(error = format!("{error:#}"), "what is elsewhere is not known yet"),
                }
            }
            _ = progress.tick() => lines.still_at_it().await,
        }
    };
    leaving.cancel();
    while alone.next().await.is_some() {}
    while let Some(Worked { left, .. }) = batches.next().await {
        for line in left {
            line.give_back().await;
        }
    }
    for delivery in lines.waiting() {
        delivery.give_back().await;
    }
    while let Some(Some(Ok(message))) = opened.messages.next().now_or_never() {
        give_back(&message).await;
    }
    unpin(consumer, opened).await;
    outcome
}

/// After a second, within which a replica that leaves has given everything back, and then ever more seldom.
fn is_to_be_asked_for(looked_in_vain: u32) -> bool {
    looked_in_vain >= 4 && looked_in_vain.is_power_of_two()
}

/// Nothing, for ever, where there is no future.
async fn maybe<T>(future: &mut Option<BoxFuture<'_, T>>) -> Option<T> {
    match future {
        Some(future) => Some(future.await),
        None => std::future::pending().await,
    }
}

/// What came of a batch.
struct Worked {
    /// Lines of which everything is dealt with.
    ended: HashSet<Uuid>,
    /// What is not dealt with, each line with all that it was at.
    left: Vec<Line>,
}

/// Handles events of several lines, each in its order, as far as they can be handled together.
async fn together(consumer: &Consumer, deliveries: Vec<Delivery>) -> Worked {
    let mut ended: HashSet<Uuid> = deliveries.iter().map(line_of).collect();
    let mut left: Vec<Line> = Vec::new();
    for delivery in batch::in_order(consumer, deliveries).await {
        let id = line_of(&delivery);
        ended.remove(&id);
        match left.iter_mut().find(|line| line.id == id) {
            Some(line) => line.events.push(delivery),
            None => left.push(Line { id, events: vec![delivery] }),
        }
    }
    Worked { ended, left }
}

/// Another replica is pinned at once, where this one was.
async fn unpin(consumer: &Consumer, opened: &Opened) {
    let Some(pin) = &opened.pin else { return };
    let unpinning = async {
        let info = opened.consumer.get_info().await?;
        let is_pinned = info.priority_groups.iter().any(|group| group.pinned_client_id.as_ref() == Some(pin));
        if is_pinned {
            let subject = format!("CONSUMER.UNPIN.{}.{}", info.stream_name, info.name);
            let request = serde_json::json!({ "group": ConsumerDeclaration::ORDERED_GROUP });
            let _answer: serde_json::Value = consumer.handler.jetstream.request(subject, &request).await?;
        }
        Ok::<_, anyhow::Error>(())
    };
    if let Err(error) = within(OPEN_TIMEOUT, unpinning, "letting another replica take over").await {
        tracing::debug!(error = format!("{error:#}"), "another replica takes over later");
    }
}
