//! Metrics of the relay, each with the constant label `service`. Only the replica that relays has something to say.

use prometheus::core::Collector;
use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts};

#[derive(Clone)]
pub(crate) struct RelayMetrics {
    /// Whether this replica is the one that relays.
    pub(super) holds_lock: IntGauge,
    pub(super) unpublished: IntGauge,
    pub(super) oldest_age_seconds: Gauge,
    pub(super) published: IntCounter,
    /// By sign, see [`Sign`].
    pub(super) put_back: IntCounterVec,
    pub(super) batch_seconds: Histogram,
    pub(super) errors: IntCounter,
}

/// By what it was seen that a stream has lost events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// The stream was made anew.
    Incarnation,
    /// It ends before an event that it had.
    LastSequence,
    /// It gave a place that another event has.
    TakenPlace,
    /// It was read, and did not have what it should.
    Audit,
    /// An operator said so.
    Operator,
}

impl Sign {
    fn label(self) -> &'static str {
        match self {
            Sign::Incarnation => "incarnation",
            Sign::LastSequence => "last_sequence",
            Sign::TakenPlace => "taken_place",
            Sign::Audit => "audit",
            Sign::Operator => "operator",
        }
    }
}

impl RelayMetrics {
    pub(crate) fn new(service: &str) -> prometheus::Result<RelayMetrics> {
        let opts = |name: &str, help: &str| Opts::new(name, help).const_label("service", service);
        let batch_opts = HistogramOpts::new(
            "petpro_outbox_batch_seconds",
            "How long it took to read, publish and note a batch of events, in seconds.",
        );
        Ok(RelayMetrics {
            holds_lock: IntGauge::with_opts(opts(
                "petpro_outbox_relay_active",
                "Whether this replica is the one that publishes the outbox.",
            ))?,
            unpublished: IntGauge::with_opts(opts("petpro_outbox_unpublished", "Events that wait to be published."))?,
            oldest_age_seconds: Gauge::with_opts(opts(
                "petpro_outbox_oldest_age_seconds",
                "Age of the oldest event that waits to be published, in seconds.",
            ))?,
            published: IntCounter::with_opts(opts("petpro_outbox_published_total", "Events published."))?,
            put_back: IntCounterVec::new(
                opts(
                    "petpro_outbox_put_back_total",
                    "Published events that wait again, by the sign that the stream has lost them.",
                ),
                &["sign"],
            )?,
            batch_seconds: Histogram::with_opts(
                batch_opts
                    .const_label("service", service)
                    .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0]),
            )?,
            errors: IntCounter::with_opts(opts(
                "petpro_outbox_errors_total",
                "Rounds of the relay that did not get to their end.",
            ))?,
        })
    }

    /// All of them, to be shown in a registry.
    pub(crate) fn collectors(&self) -> Vec<Box<dyn Collector>> {
        vec![
            Box::new(self.holds_lock.clone()),
            Box::new(self.unpublished.clone()),
            Box::new(self.oldest_age_seconds.clone()),
            Box::new(self.published.clone()),
            Box::new(self.put_back.clone()),
            Box::new(self.batch_seconds.clone()),
            Box::new(self.errors.clone()),
        ]
    }

    /// This replica does not relay any more: whoever does has its own numbers.
    pub(super) fn rests(&self) {
        self.holds_lock.set(0);
        self.unpublished.set(0);
        self.oldest_age_seconds.set(0.0);
    }

    pub(super) fn put_back(&self, sign: Sign, events: u64) {
        self.put_back.with_label_values(&[sign.label()]).inc_by(events);
    }
}
