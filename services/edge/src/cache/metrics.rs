//! What the cache counts.

use super::status::Status;
use prometheus::{IntCounterVec, IntGauge, Opts, Registry};

/// Handles of the metrics.
pub struct CacheMetrics {
    answers: IntCounterVec,
    /// Answers that were dropped for want of room, by operation.
    pub evictions: IntCounterVec,
    /// Events that were heard, by entity.
    pub events: IntCounterVec,
    /// 1 while answers are kept in Redis, too.
    pub is_shared: IntGauge,
}

impl CacheMetrics {
    /// Makes the metrics and registers them.
    ///
    /// # Errors
    /// The registry has them already.
    pub fn register(registry: &Registry) -> prometheus::Result<CacheMetrics> {
        let counter = |name: &str, help: &str, labels: &[&str]| IntCounterVec::new(Opts::new(name, help), labels);
        let metrics = CacheMetrics {
            answers: counter(
                "petpro_cache_answers_total",
                "Answers that may be kept, by how they came to be.",
                &["operation", "status"],
            )?,
            evictions: counter(
                "petpro_cache_evictions_total",
                "Answers that were dropped for want of room.",
                &["operation"],
            )?,
            events: counter("petpro_cache_events_total", "Events that made answers old.", &["entity"])?,
            is_shared: IntGauge::new("petpro_cache_shared", "1 while answers are kept in Redis, too.")?,
        };
        registry.register(Box::new(metrics.answers.clone()))?;
        registry.register(Box::new(metrics.evictions.clone()))?;
        registry.register(Box::new(metrics.events.clone()))?;
        registry.register(Box::new(metrics.is_shared.clone()))?;
        Ok(metrics)
    }

    /// Counts an answer.
    pub fn answered(&self, operation: &str, status: Status) {
        self.answers.with_label_values(&[operation, status.as_str()]).inc();
    }
}
