//! Aggregates whose next event could not be published while the stream was there.

use super::publish::Failed;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How long such an aggregate rests.
const REST: Duration = Duration::from_secs(10);
/// How many may rest. When it is more, the trouble is not theirs.
const MAX_RESTING: usize = 1_024;

/// Aggregates that are not tried, and until when.
#[derive(Default)]
pub(super) struct Resting(HashMap<Uuid, Instant>);

impl Resting {
    /// False: there are too many.
    pub(super) fn add(&mut self, failed: &Failed) -> bool {
        let has_room = self.0.len() < MAX_RESTING;
        if has_room {
            self.0.insert(failed.aggregate, Instant::now() + REST);
        }
        has_room
    }

    /// Those that still rest.
    pub(super) fn now(&mut self, now: Instant) -> Vec<Uuid> {
        self.0.retain(|_, until| *until > now);
        self.0.keys().copied().collect()
    }
}
