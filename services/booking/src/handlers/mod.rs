//! What the service answers, by subject.

pub mod availability;
pub mod calendars;
pub mod create;
pub mod holds;
pub mod privacy;
pub mod queries;
pub mod snapshots;
pub mod transitions;
pub mod update;
pub mod watch;
