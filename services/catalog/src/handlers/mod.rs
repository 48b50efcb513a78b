//! What the service answers, by entity.

pub mod categories;
pub mod inventory;
pub mod privacy;
pub mod products;
pub mod reservations;
pub mod search;
pub mod watch;
