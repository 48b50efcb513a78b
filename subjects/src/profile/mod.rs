//! Messages of the profile service: people, their addresses and preferences, their pets, and what becomes of their data.

pub mod errors;

pub use errors::ProfileError;

use crate::operation::{EventType, Operation};

/// Every operation of the profile service.
pub const OPERATIONS: &[Operation] = &[];

/// Every event type of the profile service.
pub const EVENTS: &[EventType] = &[];
