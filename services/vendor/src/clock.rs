//! What time it is.

use chrono::{DurationRound, TimeDelta, Utc};
use subjects::time::Instant;

/// Now, to the microsecond, as Postgres keeps it: a row that was just written and the same row read again are equal.
pub fn now() -> Instant {
    let now = Utc::now();
    now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
}
