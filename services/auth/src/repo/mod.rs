//! Rows of schema `auth`, read and written by plain functions.

pub mod brakes;
pub mod codes;
pub mod familiar_addresses;
pub mod login_attempts;
pub mod privacy;
pub mod refresh_tokens;
pub mod roles;
pub mod sessions;
pub mod users;
