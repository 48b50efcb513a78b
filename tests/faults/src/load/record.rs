//! What was acknowledged, and what happened otherwise.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// A write that the platform has acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The service that keeps it.
    pub service: &'static str,
    /// The event that it has to have told.
    pub event_type: &'static str,
    /// What was written.
    pub aggregate_id: Uuid,
    /// The version that the event has to have. None: there is only one of its type for each aggregate, ever.
    pub version: Option<i64>,
}

/// What the load has seen. Shared by all who ask.
#[derive(Default)]
pub struct Record(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    written: Vec<Written>,
    counts: BTreeMap<String, u64>,
    hung: Vec<String>,
    contradictions: Vec<String>,
}

impl Record {
    /// Something was acknowledged.
    pub fn acknowledged(&self, written: Written) {
        let mut seen = self.seen();
        *seen.counts.entry(written.event_type.to_owned()).or_default() += 1;
        seen.written.push(written);
    }

    /// Something else happened.
    pub fn count(&self, what: &str) {
        *self.seen().counts.entry(what.to_owned()).or_default() += 1;
    }

    /// A request had no answer in its time.
    pub fn hung(&self, what: String) {
        self.seen().hung.push(what);
    }

    /// The platform answered a repeated request in another way than the first time.
    pub fn contradicted(&self, what: String) {
        self.seen().contradictions.push(what);
    }

    /// How many writes were acknowledged so far.
    pub fn acknowledged_so_far(&self) -> usize {
        self.seen().written.len()
    }

    /// All that was acknowledged so far.
    pub fn written(&self) -> Vec<Written> {
        self.seen().written.clone()
    }

    /// How often what happened.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.seen().counts.clone()
    }

    /// What hung.
    pub fn all_hung(&self) -> Vec<String> {
        self.seen().hung.clone()
    }

    /// What was answered in two ways.
    pub fn contradictions(&self) -> Vec<String> {
        self.seen().contradictions.clone()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
