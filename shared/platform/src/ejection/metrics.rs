//! What is counted of replicas that leave their queue groups by themselves.

use super::condition::Standing;
use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};

/// Handles of the metrics. Cheap to clone.
#[derive(Clone)]
pub(crate) struct EjectionMetrics {
    standing: IntGaugeVec,
    ejections: IntCounterVec,
    stayed: IntCounterVec,
}

impl EjectionMetrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<EjectionMetrics> {
        let metrics = EjectionMetrics {
            standing: IntGaugeVec::new(
                Opts::new(
                    "petpro_replica_standing",
                    "How this replica stands to its queue group: 0 in it, 1 in it on probation, 2 away, 3 leaving.",
                ),
                &["service"],
            )?,
            ejections: IntCounterVec::new(
                Opts::new("petpro_ejections_total", "How often this replica left its queue group by itself."),
                &["service"],
            )?,
            stayed: IntCounterVec::new(
                Opts::new("petpro_ejections_refused_total", "How often it would have left, and might not, by reason."),
                &["service", "reason"],
            )?,
        };
        registry.register(Box::new(metrics.standing.clone()))?;
        registry.register(Box::new(metrics.ejections.clone()))?;
        registry.register(Box::new(metrics.stayed.clone()))?;
        Ok(metrics)
    }

    pub(super) fn stands(&self, service: &str, standing: Standing) {
        self.standing.with_label_values(&[service]).set(standing.as_number());
    }

    pub(super) fn left(&self, service: &str) {
        self.ejections.with_label_values(&[service]).inc();
    }

    pub(super) fn stayed(&self, service: &str, reason: &str) {
        self.stayed.with_label_values(&[service, reason]).inc();
    }
}
