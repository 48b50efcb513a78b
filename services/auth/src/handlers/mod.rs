//! What the service answers: one function a subject.

pub mod audit;
pub mod codes;
pub mod login;
pub mod passwords;
pub mod privacy;
pub mod refresh;
pub mod registration;
pub mod role_assignment;
pub mod roles;
pub mod sessions;
pub mod tokens;
pub mod users;

/// What a handler gets beside its request.
pub type Cx = platform::Cx<crate::AuthApp>;
