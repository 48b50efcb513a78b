//! The servers, the databases, and the rules that hold over the whole workspace.

// The lints know test functions, but not the helpers beside them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod breaking;
mod clusters;
mod configurations;
mod databases;
mod layers;
mod leaks;
mod licences;
mod servers;
