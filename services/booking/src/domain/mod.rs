//! The rules of booking: pure functions over plain types.

pub mod grid;
pub mod history;
pub mod ical;
pub mod offer;
pub mod reference;
pub mod schedule;
pub mod search;
pub mod slots;
pub mod status;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod properties;
