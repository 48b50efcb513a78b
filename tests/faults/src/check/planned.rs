//! What a scenario does on purpose, so that it is not taken for a fault of the platform.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// Events that were spoiled on purpose, and what waits behind them.
#[derive(Debug, Default)]
pub struct Planned(Mutex<Spoiled>);

#[derive(Debug, Default)]
struct Spoiled {
    events: BTreeSet<Uuid>,
    aggregates: BTreeSet<Uuid>,
}

impl Planned {
    /// This event can have no effect, and may be a dead letter.
    pub fn spoiled(&self, event: Uuid) {
        self.lock().events.insert(event);
    }

    /// Where order was asked for, later events of this aggregate may be dead letters behind a spoiled one of the
    /// harness's own ledger, which nobody replays.
    pub fn spoiled_aggregate(&self, aggregate: Uuid) {
        self.lock().aggregates.insert(aggregate);
    }

    /// All spoiled events.
    pub fn all(&self) -> Vec<Uuid> {
        self.lock().events.iter().copied().collect()
    }

    /// All aggregates of which an event was spoiled.
    pub fn aggregates(&self) -> Vec<Uuid> {
        self.lock().aggregates.iter().copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Spoiled> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
