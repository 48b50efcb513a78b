//! The platform as one binary: every service, and the tools around them.

pub mod cli;
pub mod commands;
pub mod demo_users;
mod operator;
pub mod output;
pub mod progress;
pub mod services;
pub mod stack;
