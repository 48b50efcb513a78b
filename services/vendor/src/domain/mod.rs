//! Rules as pure functions over plain types.

pub mod approval;
pub mod geography;
pub mod members;
pub mod words;
