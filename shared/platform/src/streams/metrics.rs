//! What is counted of streams, by subject.

use super::wire::EndReason;
use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

/// Handles of the metrics. Cheap to clone.
#[derive(Clone)]
pub(crate) struct StreamMetrics {
    open: IntGaugeVec,
    items: IntCounterVec,
    resets: IntCounterVec,
    ends: IntCounterVec,
    dead_responders: IntCounterVec,
}

impl StreamMetrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<StreamMetrics> {
        let counter = |name: &str, help: &str, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let metrics = StreamMetrics {
            open: IntGaugeVec::new(Opts::new("petpro_stream_leases", "Leases that are open."), &["subject"])?,
            items: counter("petpro_stream_items_total", "Items told to watchers.", &["subject"])?,
            resets: counter("petpro_stream_resets_total", "Snapshots begun because a place was gone.", &["subject"])?,
            ends: counter("petpro_stream_ends_total", "Leases that ended, by reason.", &["subject", "reason"])?,
            dead_responders: counter(
                "petpro_stream_dead_responders_total",
                "Leases given up because nothing more came, or something was missing.",
                &["subject"],
            )?,
        };
        registry.register(Box::new(metrics.open.clone()))?;
        registry.register(Box::new(metrics.items.clone()))?;
        registry.register(Box::new(metrics.resets.clone()))?;
        registry.register(Box::new(metrics.ends.clone()))?;
        registry.register(Box::new(metrics.dead_responders.clone()))?;
        Ok(metrics)
    }

    pub(super) fn opened(&self, subject: &str) -> Open {
        let gauge = self.open.with_label_values(&[subject]);
        gauge.inc();
        Open(gauge)
    }

    pub(super) fn told(&self, subject: &str) {
        self.items.with_label_values(&[subject]).inc();
    }

    pub(super) fn reset(&self, subject: &str) {
        self.resets.with_label_values(&[subject]).inc();
    }

    pub(super) fn ended(&self, subject: &str, reason: Option<EndReason>) {
        let reason = reason.map_or("unreachable", EndReason::as_str);
        self.ends.with_label_values(&[subject, reason]).inc();
    }

    pub(super) fn gave_up(&self, subject: &str) {
        self.dead_responders.with_label_values(&[subject]).inc();
    }
}

/// A lease that counts as open until this is dropped.
pub(super) struct Open(IntGauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}
