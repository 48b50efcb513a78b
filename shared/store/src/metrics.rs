//! Metrics of outbox and consumers, each with the constant label `service`.

use crate::relay::RelayMetrics;
use crate::work::ConsumerMetrics;
use prometheus::Registry;

#[derive(Clone)]
pub(crate) struct StoreMetrics {
    pub(crate) relay: RelayMetrics,
    pub(crate) consumers: ConsumerMetrics,
}

impl StoreMetrics {
    pub(crate) fn new(service: &str) -> prometheus::Result<StoreMetrics> {
        Ok(StoreMetrics { relay: RelayMetrics::new(service)?, consumers: ConsumerMetrics::new(service)? })
    }

    /// Shows the metrics in a registry. Doing it again changes nothing.
    pub(crate) fn register(&self, registry: &Registry) {
        for metric in self.relay.collectors().into_iter().chain(self.consumers.all()) {
            match registry.register(metric) {
                Ok(()) | Err(prometheus::Error::AlreadyReg) => {}
                Err(error) => tracing::warn!(error = %error, "a metric of the store cannot be shown"),
            }
        }
    }
}
