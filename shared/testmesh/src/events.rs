//! Durable events, heard as they are published.

use crate::PATIENCE;
use futures::StreamExt as _;
use serde_json::Value;

/// Durable events as they are published. Those of different aggregates may come in any order.
pub struct Events {
    subscriber: async_nats::Subscriber,
    passed_over: Vec<async_nats::Message>,
}

impl Events {
    pub(crate) fn of(subscriber: async_nats::Subscriber) -> Events {
        Events { subscriber, passed_over: Vec::new() }
    }

    /// The next event of a type, which must come. Those of other types that come before it are kept for later.
    pub async fn next(&mut self, event_type: &str) -> Value {
        let prefix = format!("event.{event_type}.");
        if let Some(place) = self.passed_over.iter().position(|message| message.subject.starts_with(&prefix)) {
            return serde_json::from_slice(&self.passed_over.remove(place).payload).unwrap();
        }
        let wanted = async {
            loop {
                let message = self.subscriber.next().await.unwrap();
                if message.subject.starts_with(&prefix) {
                    return serde_json::from_slice(&message.payload).unwrap();
                }
                self.passed_over.push(message);
            }
        };
        tokio::time::timeout(PATIENCE, wanted).await.unwrap_or_else(|_| panic!("no {event_type}"))
    }
}
