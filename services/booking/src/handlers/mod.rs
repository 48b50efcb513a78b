//! What the service answers, by subject.

pub mod availability;
pub mod create;
pub mod queries;
pub mod transitions;
pub mod update;
