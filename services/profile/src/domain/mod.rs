//! Rules over plain values.

pub mod dates;
pub mod share_code;
