//! The metrics that every service has, labelled by registered subjects only.

use crate::ejection::EjectionMetrics;
use crate::streams::StreamMetrics;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGaugeVec, Opts, Registry};
use std::time::Duration;
use subjects::Fallback;
use subjects::time::Instant;

/// Handles of the common metrics. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    running: IntGaugeVec,
    waiting: IntGaugeVec,
    running_limits: IntGaugeVec,
    shed: IntCounterVec,
    calls: IntCounterVec,
    call_seconds: HistogramVec,
    calls_refused: IntCounterVec,
    circuits: IntGaugeVec,
    resends: IntCounterVec,
    resend_budgets_exhausted: IntCounterVec,
    versions_not_found: IntCounterVec,
    nats_events: IntCounterVec,
    fallbacks: IntCounterVec,
    audit_lost: IntCounterVec,
    certificate_ends: IntGaugeVec,
    streams: StreamMetrics,
    ejection: EjectionMetrics,
}

const BUCKETS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

impl Metrics {
    /// Makes the metrics and registers them.
    ///
    /// # Errors
    /// The registry has them already.
    pub fn register(registry: &Registry) -> prometheus::Result<Metrics> {
        let histogram = |name: &str, help: &str| HistogramOpts::new(name, help).buckets(BUCKETS.to_vec());
        let metrics = Metrics {
            requests: IntCounterVec::new(
                Opts::new("petpro_requests_total", "Requests answered, by outcome code."),
                &["subject", "code"],
            )?,
            request_seconds: HistogramVec::new(
                histogram("petpro_request_seconds", "Time from receipt to reply, in seconds."),
                &["subject"],
            )?,
            running: IntGaugeVec::new(Opts::new("petpro_requests_running", "Requests in a handler."), &["service"])?,
            waiting: IntGaugeVec::new(
                Opts::new("petpro_requests_waiting", "Requests that wait for a handler."),
                &["service"],
            )?,
            running_limits: IntGaugeVec::new(
                Opts::new("petpro_requests_running_limit", "Requests that may be in a handler for the moment."),
                &["service"],
            )?,
            shed: IntCounterVec::new(
                Opts::new("petpro_requests_shed_total", "Requests refused because there was too much to do."),
                &["service", "priority"],
            )?,
            calls: IntCounterVec::new(
                Opts::new("petpro_calls_total", "Calls to other services, by outcome code."),
                &["subject", "code"],
            )?,
            call_seconds: HistogramVec::new(
                histogram("petpro_call_seconds", "Time that calls to other services took, in seconds."),
                &["subject"],
            )?,
            calls_refused: IntCounterVec::new(
                Opts::new("petpro_calls_refused_total", "Calls that were not sent, by reason."),
                &["caller", "service", "class", "reason"],
            )?,
            circuits: IntGaugeVec::new(
                Opts::new("petpro_circuit", "Whether a service is asked: 0 as always, 1 on probation, 2 not."),
                &["caller", "service", "class"],
            )?,
            resends: IntCounterVec::new(
                Opts::new("petpro_resends_total", "Calls sent again for want of an answer."),
                &["service"],
            )?,
            resend_budgets_exhausted: IntCounterVec::new(
                Opts::new(
                    "petpro_resend_budgets_exhausted_total",
                    "Calls not sent again because the called service's budget was used up.",
                ),
                &["service"],
            )?,
            versions_not_found: IntCounterVec::new(
                Opts::new(
                    "petpro_versions_not_found_total",
                    "Calls sent to a version of a service that no replica has; stable replicas were asked then.",
                ),
                &["service"],
            )?,
            nats_events: IntCounterVec::new(
                Opts::new("petpro_nats_events_total", "What went wrong on the NATS connection."),
                &["kind"],
            )?,
            fallbacks: IntCounterVec::new(
                Opts::new("petpro_fallbacks_total", "Answers that stood in for better ones because a part was away."),
                &["subject", "fallback"],
            )?,
            audit_lost: IntCounterVec::new(
                Opts::new(
                    "petpro_audit_entries_lost_total",
                    "Entries of the audit log that were not written for want of room, or of a database.",
                ),
                &["service"],
            )?,
            certificate_ends: IntGaugeVec::new(
                Opts::new(
                    "petpro_certificate_expires_timestamp_seconds",
                    "Until when a certificate for NATS holds, in seconds since 1970.",
                ),
                &["identity", "certificate"],
            )?,
            streams: StreamMetrics::register(registry)?,
            ejection: EjectionMetrics::register(registry)?,
        };
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.request_seconds.clone()))?;
        registry.register(Box::new(metrics.running.clone()))?;
        registry.register(Box::new(metrics.waiting.clone()))?;
        registry.register(Box::new(metrics.running_limits.clone()))?;
        registry.register(Box::new(metrics.shed.clone()))?;
        registry.register(Box::new(metrics.calls.clone()))?;
        registry.register(Box::new(metrics.call_seconds.clone()))?;
        registry.register(Box::new(metrics.calls_refused.clone()))?;
        registry.register(Box::new(metrics.circuits.clone()))?;
        registry.register(Box::new(metrics.resends.clone()))?;
        registry.register(Box::new(metrics.resend_budgets_exhausted.clone()))?;
        registry.register(Box::new(metrics.versions_not_found.clone()))?;
        registry.register(Box::new(metrics.nats_events.clone()))?;
        registry.register(Box::new(metrics.fallbacks.clone()))?;
        registry.register(Box::new(metrics.audit_lost.clone()))?;
        registry.register(Box::new(metrics.certificate_ends.clone()))?;
        Ok(metrics)
    }

    pub(crate) fn answered(&self, subject: &str, code: &str, took: Duration) {
        self.requests.with_label_values(&[subject, code]).inc();
        self.request_seconds.with_label_values(&[subject]).observe(took.as_secs_f64());
    }

    pub(crate) fn running(&self, service: &str) -> prometheus::IntGauge {
        self.running.with_label_values(&[service])
    }

    pub(crate) fn waiting(&self, service: &str) -> prometheus::IntGauge {
        self.waiting.with_label_values(&[service])
    }

    pub(crate) fn running_limit(&self, service: &str) -> prometheus::IntGauge {
        self.running_limits.with_label_values(&[service])
    }

    /// Service and priority.
    pub(crate) fn shed(&self, labels: [&str; 2]) {
        self.shed.with_label_values(&labels).inc();
    }

    pub(crate) fn called(&self, subject: &str, code: &str, took: Duration) {
        self.calls.with_label_values(&[subject, code]).inc();
        self.call_seconds.with_label_values(&[subject]).observe(took.as_secs_f64());
    }

    /// Caller, service, class and reason.
    pub(crate) fn call_refused(&self, labels: [&str; 4]) {
        self.calls_refused.with_label_values(&labels).inc();
    }

    /// Caller, service and class.
    pub(crate) fn circuit(&self, labels: [&str; 3], standing: i64) {
        self.circuits.with_label_values(&labels).set(standing);
    }

    pub(crate) fn resent(&self, service: &str) {
        self.resends.with_label_values(&[service]).inc();
    }

    pub(crate) fn resend_budget_exhausted(&self, service: &str) {
        self.resend_budgets_exhausted.with_label_values(&[service]).inc();
    }

    pub(crate) fn found_no_version(&self, service: &str) {
        self.versions_not_found.with_label_values(&[service]).inc();
    }

    pub(crate) fn fell_back(&self, subject: &str, fallback: Fallback) {
        self.fallbacks.with_label_values(&[subject, fallback.as_str()]).inc();
    }

    pub(crate) fn streams(&self) -> StreamMetrics {
        self.streams.clone()
    }

    pub(crate) fn ejection(&self) -> EjectionMetrics {
        self.ejection.clone()
    }

    pub(crate) fn audit_lost(&self, service: &str) -> prometheus::IntCounter {
        self.audit_lost.with_label_values(&[service])
    }

    /// Whose, which of `client`, `server` and `authority`, and until when it holds.
    pub(crate) fn certificate_ends(&self, identity: &str, certificate: &str, ends_at: Instant) {
        self.certificate_ends.with_label_values(&[identity, certificate]).set(ends_at.timestamp());
    }

    pub(crate) fn nats_event(&self, kind: &str) {
        self.nats_events.with_label_values(&[kind]).inc();
    }
}
