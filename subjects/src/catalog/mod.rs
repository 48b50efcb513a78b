//! Messages of the catalog service: products, their categories, and their stock.

pub mod errors;

pub use errors::CatalogError;

use crate::operation::{EventType, Operation};

/// Every operation of the catalog service.
pub const OPERATIONS: &[Operation] = &[];

/// Every event type of the catalog service.
pub const EVENTS: &[EventType] = &[];
