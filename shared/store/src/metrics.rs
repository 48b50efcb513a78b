//! Metrics of outbox and consumers, each with the constant label `service`.

use prometheus::core::Collector;
use prometheus::{Gauge, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

#[derive(Clone)]
pub(crate) struct StoreMetrics {
    pub(crate) unpublished: IntGauge,
    pub(crate) oldest_age_seconds: Gauge,
    pub(crate) published: IntCounter,
    pub(crate) relay_errors: IntCounter,
    /// By handler and outcome: `handled`, `repeated`, `failed`.
    pub(crate) events_consumed: IntCounterVec,
}

impl StoreMetrics {
    pub(crate) fn new(service: &str) -> prometheus::Result<StoreMetrics> {
        let opts = |name: &str, help: &str| Opts::new(name, help).const_label("service", service);
        Ok(StoreMetrics {
            unpublished: IntGauge::with_opts(opts("petpro_outbox_unpublished", "Events that wait to be published."))?,
            oldest_age_seconds: Gauge::with_opts(opts(
                "petpro_outbox_oldest_age_seconds",
                "Age of the oldest event that waits to be published, in seconds.",
            ))?,
            published: IntCounter::with_opts(opts("petpro_outbox_published_total", "Events published."))?,
            relay_errors: IntCounter::with_opts(opts(
                "petpro_outbox_errors_total",
                "Rounds of the relay that did not get to their end.",
            ))?,
            events_consumed: IntCounterVec::new(
                opts("petpro_events_consumed_total", "Events given to work consumers, by outcome."),
                &["handler", "outcome"],
            )?,
        })
    }

    /// Shows the metrics in a registry. Doing it again changes nothing.
    pub(crate) fn register(&self, registry: &Registry) {
        let all: [Box<dyn Collector>; 5] = [
            Box::new(self.unpublished.clone()),
            Box::new(self.oldest_age_seconds.clone()),
            Box::new(self.published.clone()),
            Box::new(self.relay_errors.clone()),
            Box::new(self.events_consumed.clone()),
        ];
        for metric in all {
            match registry.register(metric) {
                Ok(()) | Err(prometheus::Error::AlreadyReg) => {}
                Err(error) => tracing::warn!(error = %error, "a metric of the store cannot be shown"),
            }
        }
    }
}
