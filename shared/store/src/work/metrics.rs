//! Metrics of consumers, by handler.

use prometheus::core::Collector;
use prometheus::{IntCounterVec, IntGaugeVec, Opts};
use subjects::ops::ConsumerStatus;

#[derive(Clone)]
pub(crate) struct ConsumerMetrics {
    /// By handler and outcome: `handled`, `repeated`, `failed`, `parked`.
    pub(super) events: IntCounterVec,
    /// By handler and reason.
    pub(super) parked: IntCounterVec,
    pending: IntGaugeVec,
    ack_pending: IntGaugeVec,
    redelivered: IntGaugeVec,
    dead_letters: IntGaugeVec,
    paused: IntGaugeVec,
}

impl ConsumerMetrics {
    pub(crate) fn new(service: &str) -> prometheus::Result<ConsumerMetrics> {
        let opts = |name: &str, help: &str| Opts::new(name, help).const_label("service", service);
        let gauge = |name: &str, help: &str| IntGaugeVec::new(opts(name, help), &["handler"]);
        Ok(ConsumerMetrics {
            events: IntCounterVec::new(
                opts("petpro_events_consumed_total", "Events given to work consumers, by outcome."),
                &["handler", "outcome"],
            )?,
            parked: IntCounterVec::new(
                opts("petpro_events_parked_total", "Events that became dead letters, by reason."),
                &["handler", "reason"],
            )?,
            pending: gauge("petpro_consumer_pending", "Events that a consumer was not given yet.")?,
            ack_pending: gauge("petpro_consumer_ack_pending", "Events that a consumer was given and works on.")?,
            redelivered: gauge(
                "petpro_consumer_redelivered",
                "Events that a consumer works on not for the first time.",
            )?,
            dead_letters: gauge("petpro_dead_letters", "Events that are dead letters.")?,
            paused: gauge("petpro_consumer_paused", "Whether an operator has paused the consumer.")?,
        })
    }

    pub(crate) fn all(&self) -> [Box<dyn Collector>; 7] {
        [
            Box::new(self.events.clone()),
            Box::new(self.parked.clone()),
            Box::new(self.pending.clone()),
            Box::new(self.ack_pending.clone()),
            Box::new(self.redelivered.clone()),
            Box::new(self.dead_letters.clone()),
            Box::new(self.paused.clone()),
        ]
    }

    pub(super) fn show(&self, consumers: &[ConsumerStatus]) {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for consumer in consumers {
            let handler = [consumer.handler.as_str()];
            if let Some(delivery) = &consumer.delivery {
                self.pending.with_label_values(&handler).set(number(delivery.pending));
                self.ack_pending.with_label_values(&handler).set(number(delivery.ack_pending));
                self.redelivered.with_label_values(&handler).set(number(delivery.redelivered));
            }
            self.dead_letters.with_label_values(&handler).set(consumer.dead_letters);
            self.paused.with_label_values(&handler).set(i64::from(consumer.paused.is_some()));
        }
    }
}
