//! The rows of schema `auth`.

pub mod login_attempt;
pub mod one_time_code;
pub mod refresh_token;
pub mod role;
pub mod role_permission;
pub mod session;
pub mod user;
pub mod user_role;
