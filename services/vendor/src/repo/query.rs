//! A hand-written query whose conditions depend on the question.

pub use store::Query;
