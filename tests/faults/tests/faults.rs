//! The cut of the fault harness: every scenario, smaller, each with a platform of its own, and every planted mistake.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod cut;
