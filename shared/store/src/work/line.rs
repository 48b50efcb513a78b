//! Events of one aggregate, one after the other, each in a transaction of its own.

use super::answer::{Delivery, while_it_is_told_of};
use super::consume::Consumer;
use super::failure::delay;
use super::one::{self, Ending};
use async_nats::jetstream::AckKind;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Events of one aggregate, in their order.
pub(super) struct Line {
    pub id: Uuid,
    pub events: Vec<Delivery>,
}

impl Line {
    /// Tries each event in its place until it is dealt with or parked, or this replica leaves. Answers which line it was.
    pub(super) async fn until_it_is_dealt_with(
        self,
        consumer: &Consumer,
        permits: &Semaphore,
        leaving: &CancellationToken,
    ) -> Uuid {
        let dealing = async {
            for delivery in &self.events {
                until_dealt_with(consumer, delivery, permits, leaving).await;
            }
        };
        while_it_is_told_of(&self.events, consumer.progress_every(), dealing).await;
        self.id
    }

    /// Nothing was begun with it, and another replica may have it.
    pub(super) async fn give_back(&self) {
        for delivery in &self.events {
            delivery.give_back().await;
        }
    }
}

async fn until_dealt_with(consumer: &Consumer, delivery: &Delivery, permits: &Semaphore, leaving: &CancellationToken) {
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
}
