//! The three kinds of token: issued here, verified here.

mod error;
mod issue;
mod kind;
mod verify;

pub use error::TokenError;
pub use issue::{ACCESS_TOKEN_LIFETIME, AccessTokens, MESH_TOKEN_LIFETIME, ServiceTokens, UserTokens};
pub use verify::Verifier;

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod forge;
#[cfg(test)]
mod tests;
