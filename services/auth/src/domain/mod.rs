//! The rules, as pure functions.

pub mod brakes;
pub mod code;
pub mod common_passwords;
pub mod email;
pub mod keyed_hash;
pub mod password;
pub mod refresh;
pub mod roles;
pub mod users;
