//! A delivery of an event, and what JetStream is told of it.

use super::incoming::Incoming;
use crate::within::within;
use async_nats::jetstream::{AckKind, Message};
use platform::ConsumerDeclaration;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long JetStream may take to say that it knows.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How long a replica that leaves asks JetStream to wait before it gives its events to another one.
const LEAVING_DELAY: Duration = Duration::from_millis(10);

/// An event that was given to this replica and is not answered for yet.
pub(super) struct Delivery {
    pub incoming: Incoming,
    pub delivered: u32,
    /// Which delivery of this consumer it is: they are counted without a gap.
    pub consumer_sequence: u64,
    message: Message,
    answered: AtomicBool,
}

impl Delivery {
    pub(super) fn new(incoming: Incoming, message: Message) -> anyhow::Result<Delivery> {
        let info = message.info().map_err(|error| anyhow::anyhow!("{error}"))?;
        let (delivered, consumer_sequence) = (u32::try_from(info.delivered).unwrap_or(1), info.consumer_sequence);
        Ok(Delivery { incoming, delivered, consumer_sequence, message, answered: AtomicBool::new(false) })
    }

    /// It is dealt with. One that does not arrive is made up for by the inbox.
    pub(super) async fn done(&self) {
        self.answer(AckKind::Ack).await;
    }

    /// It is dealt with, and JetStream has said that it knows.
    pub(super) async fn surely(&self, answer: AckKind) {
        self.answered.store(true, Ordering::Relaxed);
        let Some(reply) = self.message.reply.clone() else { return };
        // Over the inbox that all requests share: one for each event would cost more than the event.
        let client = self.message.context.client();
        let asking = client.request(reply, answer.into());
        if let Err(error) = within(TIMEOUT, asking, "acknowledging an event").await {
            let error = format!("{error:#}");
            tracing::debug!(error, "an event's acknowledgement was not heard, it may come again");
        }
    }

    /// It is to come again after a time.
    pub(super) async fn again(&self, delay: Duration) {
        self.answer(AckKind::Nak(Some(delay))).await;
    }

    /// Nothing was begun with it, and another replica may have it.
    pub(super) async fn give_back(&self) {
        self.again(LEAVING_DELAY).await;
    }

    /// It is not forgotten: JetStream waits on.
    pub(super) async fn still_at_it(&self) {
        if !self.answered.load(Ordering::Relaxed) {
            send(&self.message, AckKind::Progress).await;
        }
    }

    async fn answer(&self, answer: AckKind) {
        self.answered.store(true, Ordering::Relaxed);
        send(&self.message, answer).await;
    }
}

/// Works, and tells JetStream so often meanwhile that the events are not forgotten.
pub(super) async fn while_it_is_told_of<T>(
    deliveries: &[Delivery],
    every: Duration,
    work: impl Future<Output = T>,
) -> T {
    let telling = async {
        loop {
            tokio::time::sleep(every).await;
            for delivery in deliveries {
                delivery.still_at_it().await;
            }
        }
    };
    tokio::select! {
        done = work => done,
        never = telling => never,
    }
}

/// Gives back what was not even looked at.
pub(super) async fn give_back(message: &Message) {
    send(message, AckKind::Nak(Some(LEAVING_DELAY))).await;
}

/// Where JetStream is answered for the event at a place of the stream, whoever it was given to: it is known by its place.
/// The number of the delivery must be one that there has been, and the rest is for clients.
pub(super) fn delivery_subject(declaration: &ConsumerDeclaration, sequence: u64, delivery: u64) -> String {
    format!("$JS.ACK.{}.{}.1.{sequence}.{delivery}.0.0", declaration.stream(), declaration.durable_name())
}

async fn send(message: &Message, answer: AckKind) {
    if let Err(error) = message.ack_with(answer).await {
        tracing::debug!(error = %error, "an event's acknowledgement was not sent, it will come again");
    }
}
