//! The time, as the database can keep it.

use chrono::{SubsecRound as _, Utc};
use subjects::time::Instant;

/// Now, to the microsecond: Postgres keeps no more, and a reply must show what a later one will.
pub fn now() -> Instant {
    Utc::now().trunc_subsecs(6)
}
