//! The time as the database keeps it.

use chrono::{SubsecRound as _, Utc};
use subjects::time::Instant;

/// Now, in whole microseconds: what is answered is then what is stored.
pub fn now() -> Instant {
    Utc::now().trunc_subsecs(6)
}
