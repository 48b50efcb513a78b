//! A consumer whose events come in any order: batches of them, two at a time.

use super::answer::{Delivery, give_back};
use super::batch::{self, BATCH, BATCHES};
use super::consume::{Consumer, Opened, receive};
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use std::collections::VecDeque;

/// How many events wait for their batch.
pub(super) const WAITING: usize = 128;

/// Ends with `Ok` when the consumer is to stop, and what had begun is done.
pub(super) async fn consume(consumer: &Consumer, opened: &mut Opened) -> anyhow::Result<()> {
    let mut waiting: VecDeque<Delivery> = VecDeque::with_capacity(WAITING);
    let mut at_work = FuturesUnordered::new();
    let mut progress = tokio::time::interval(consumer.progress_every());
    let stop = consumer.is_to_stop();
    tokio::pin!(stop);
    let outcome = 'consuming: loop {
        while at_work.len() < BATCHES && !waiting.is_empty() {
            let size = waiting.len().min(BATCH);
            at_work.push(batch::handle(consumer, waiting.drain(..size).collect()));
        }
        tokio::select! {
            biased;
            () = &mut stop => break Ok(()),
            Some(()) = at_work.next(), if !at_work.is_empty() => {}
            _ = progress.tick(), if !waiting.is_empty() => {
                for delivery in &waiting {
                    delivery.still_at_it().await;
                }
            }
            received = receive(opened), if waiting.len() < WAITING => match received {
                Ok(delivery) => waiting.push_back(delivery),
                Err(error) => break Err(error),
            },
        }
        // What has come with it, so that a batch is as large as it can be without waiting.
        while waiting.len() < WAITING
            && let Some(received) = receive(opened).now_or_never()
        {
            match received {
                Ok(delivery) => waiting.push_back(delivery),
                Err(error) => break 'consuming Err(error),
            }
        }
    };
    while let Some(()) = at_work.next().await {}
    // What was given to this replica and not begun: another one need not wait until it is given out again.
    for delivery in &waiting {
        delivery.give_back().await;
    }
    while let Some(Some(Ok(message))) = opened.messages.next().now_or_never() {
        give_back(&message).await;
    }
    outcome
}
