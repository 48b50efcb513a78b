//! The load: bookings, stock moves and registrations at a steady rate, whatever the answers take. What was acknowledged
//! is kept by id; what was not is sent again under the same key.

mod bookings;
mod client;
mod latency;
mod pace;
mod people;
mod record;
mod registrations;
mod scenery;
mod stock;

pub use latency::{Latency, Normal};
pub use pace::{Load, LoadOptions};
pub use people::{People, Tokens};
pub use record::{Record, Written};
pub use scenery::{Scenery, Slot, Stock};
