//! The platform as one binary: every service, and the tools around them.

pub mod cli;
pub mod commands;
pub mod demo_users;
mod operator;
pub mod output;
pub mod progress;
pub mod services;
pub mod stack;

// For every program that the platform is in. Requests allocate much and briefly, and password hashing in large pieces: the
// system's own allocator keeps far more of that than is in use, and takes longer for it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
