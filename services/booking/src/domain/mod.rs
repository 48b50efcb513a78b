//! The rules of booking: pure functions over plain types.

pub mod offer;
pub mod reference;
pub mod slots;
pub mod status;
