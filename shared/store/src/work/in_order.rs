//! A consumer whose events come in order: those of an aggregate one after the other, those of several aggregates at once.
//!
//! JetStream pins one replica at a time, which is given all new events. What another one was given and has not
//! acknowledged may come after them, though: when the consumer opens, and whenever deliveries are missing, nothing new is
//! begun until all of that is here or dealt with, for which it is asked before its time is over; see [`take_over`].

use super::answer::{Delivery, give_back};
use super::consume::{Consumer, OPEN_TIMEOUT, Opened, receive};
use super::failure::delay;
use super::one::{self, Ending};
use super::take_over::{self, Elsewhere, Here};
use crate::within::within;
use async_nats::jetstream::AckKind;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use platform::ConsumerDeclaration;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How many aggregates are at work at a time.
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
    let mut at_work = FuturesUnordered::new();
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
            while let Some(delivery) = lines.next() {
                at_work.push(until_it_is_dealt_with(consumer, delivery, &permits, &leaving));
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
            Some(line) = at_work.next(), if !at_work.is_empty() => lines.end(line),
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
                        for delivery in lines.take_had(&elsewhere.had) {
                            delivery.surely(AckKind::Ack).await;
                        }
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
    while at_work.next().await.is_some() {}
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

/// Tries an event in its place until it is dealt with or parked, or this replica leaves. Answers its line.
async fn until_it_is_dealt_with(
    consumer: &Consumer,
    delivery: Delivery,
    permits: &Semaphore,
    leaving: &CancellationToken,
) -> Uuid {
    let line = line_of(&delivery);
    let keeping = async {
        loop {
            sleep(consumer.progress_every()).await;
            delivery.still_at_it().await;
        }
    };
    let dealing = async {
        let mut attempt = 0_u32;
        loop {
            attempt = attempt.saturating_add(1);
            let ending = {
                // Whoever waits for its next attempt keeps nobody from working.
                let _permit = permits.acquire().await;
                if leaving.is_cancelled() {
                    return delivery.give_back().await;
                }
                one::handle(consumer, &delivery.incoming).await
            };
            match ending {
                Ending::Done => return delivery.surely(AckKind::Ack).await,
                Ending::Parked => return delivery.surely(AckKind::Term).await,
                Ending::Again => tokio::select! {
                    () = leaving.cancelled() => {}
                    () = sleep(delay(attempt)) => {}
                },
            }
        }
    };
    tokio::select! {
        () = dealing => {}
        () = keeping => {}
    }
    line
}

/// Events that do not say what they happened to have no order with others.
fn line_of(delivery: &Delivery) -> Uuid {
    delivery.incoming.aggregate_id.unwrap_or(delivery.incoming.event_id)
}

/// Events that are here, by aggregate.
#[derive(Default)]
struct Lines {
    waiting: HashMap<Uuid, BTreeMap<i64, Delivery>>,
    /// Lines whose first event may begin.
    ready: HashSet<Uuid>,
    /// The sequence, and the event, that each line is at.
    begun: HashMap<Uuid, (i64, Uuid)>,
    /// How many wait.
    count: usize,
}

impl Lines {
    /// One that is here already is not added: this was its next delivery.
    fn add(&mut self, delivery: Delivery) {
        let (line, sequence) = (line_of(&delivery), delivery.incoming.place.sequence);
        let begun = self.begun.get(&line);
        if begun.is_some_and(|(begun, _)| *begun == sequence) {
            return;
        }
        if begun.is_none() {
            self.ready.insert(line);
        }
        if self.waiting.entry(line).or_default().insert(sequence, delivery).is_none() {
            self.count += 1;
        }
    }

    /// The next event that may begin.
    fn next(&mut self) -> Option<Delivery> {
        let line = *self.ready.iter().next()?;
        self.ready.remove(&line);
        let waiting = self.waiting.get_mut(&line)?;
        let (sequence, delivery) = waiting.pop_first()?;
        if waiting.is_empty() {
            self.waiting.remove(&line);
        }
        self.count -= 1;
        self.begun.insert(line, (sequence, delivery.incoming.event_id));
        Some(delivery)
    }

    fn end(&mut self, line: Uuid) {
        self.begun.remove(&line);
        if self.waiting.contains_key(&line) {
            self.ready.insert(line);
        }
    }

    fn len(&self) -> usize {
        self.count + self.begun.len()
    }

    fn holds_any(&self) -> bool {
        self.len() > 0
    }

    /// All that is here: sequences and event ids.
    fn events(&self) -> HashMap<i64, Uuid> {
        let waiting = self.waiting.values().flatten();
        let waiting = waiting.map(|(sequence, delivery)| (*sequence, delivery.incoming.event_id));
        waiting.chain(self.begun.values().copied()).collect()
    }

    /// All that is here, by sequence.
    fn held(&self) -> HashMap<i64, Here> {
        let waiting = self.waiting.values().flatten();
        let waiting = waiting.map(|(sequence, delivery)| (*sequence, Here::of(delivery)));
        let begun = self.begun.values().map(|(sequence, _)| (*sequence, Here::default()));
        waiting.chain(begun).collect()
    }

    /// Takes out what waits and was dealt with elsewhere.
    fn take_had(&mut self, had: &HashSet<Uuid>) -> Vec<Delivery> {
        let mut taken = Vec::new();
        for line in self.waiting.values_mut() {
            let is_had = |delivery: &Delivery| had.contains(&delivery.incoming.event_id);
            let of_line: Vec<i64> =
                line.iter().filter(|(_, delivery)| is_had(delivery)).map(|(sequence, _)| *sequence).collect();
            taken.extend(of_line.iter().filter_map(|sequence| line.remove(sequence)));
        }
        self.count -= taken.len();
        self.waiting.retain(|_, line| !line.is_empty());
        let waiting = &self.waiting;
        self.ready.retain(|line| waiting.contains_key(line));
        taken
    }

    fn waiting(&self) -> impl Iterator<Item = &Delivery> {
        self.waiting.values().flat_map(BTreeMap::values)
    }

    async fn still_at_it(&self) {
        for delivery in self.waiting() {
            delivery.still_at_it().await;
        }
    }
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
