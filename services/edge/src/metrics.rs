//! What the edge counts beyond the common metrics.

use prometheus::{IntCounterVec, IntGauge, Opts, Registry};

/// Handles of the metrics.
pub struct EdgeMetrics {
    /// Connections that are open.
    pub connections: IntGauge,
    /// Requests that a budget refused, by budget.
    pub refusals: IntCounterVec,
    /// 1 while requests are counted in Redis, 0 while this instance counts for itself.
    pub limits_shared: IntGauge,
}

impl EdgeMetrics {
    /// Makes the metrics and registers them.
    ///
    /// # Errors
    /// The registry has them already.
    pub fn register(registry: &Registry) -> prometheus::Result<EdgeMetrics> {
        let metrics = EdgeMetrics {
            connections: IntGauge::new("petpro_http_connections", "Connections that are open at the edge.")?,
            refusals: IntCounterVec::new(
                Opts::new("petpro_rate_limited_total", "Requests that a budget refused."),
                &["budget"],
            )?,
            limits_shared: IntGauge::new(
                "petpro_rate_limits_shared",
                "1 while requests are counted in Redis, 0 while this instance counts for itself.",
            )?,
        };
        registry.register(Box::new(metrics.connections.clone()))?;
        registry.register(Box::new(metrics.refusals.clone()))?;
        registry.register(Box::new(metrics.limits_shared.clone()))?;
        Ok(metrics)
    }
}
