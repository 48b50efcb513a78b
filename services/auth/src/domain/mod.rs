//! The rules, as pure functions.

pub mod common_passwords;
pub mod email;
pub mod password;
pub mod refresh;
pub mod users;
