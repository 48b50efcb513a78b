//! What tells the kinds of token apart.

use super::issue::{ACCESS_TOKEN_LIFETIME, MESH_TOKEN_LIFETIME};
use crate::keys::Purpose;
use chrono::Duration;

/// The issuer of access tokens.
pub(super) const ACCESS_ISSUER: &str = "petpro";
/// The audience of access tokens.
pub(super) const ACCESS_AUDIENCE: &str = "edge";
/// The audience of user tokens: every service.
pub(super) const USER_AUDIENCE: &str = "mesh";

/// The `typ` header of the tokens of a purpose. Each kind has its own, so that none passes for another (RFC 8725
/// section 3.11); that of access tokens is from RFC 9068.
pub(super) const fn header_type(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Access => "at+jwt",
        Purpose::User => "petpro-user+jwt",
        Purpose::Service => "petpro-service+jwt",
    }
}

/// How long a token of a purpose may live.
pub(super) const fn lifetime(purpose: Purpose) -> Duration {
    match purpose {
        Purpose::Access => ACCESS_TOKEN_LIFETIME,
        Purpose::User | Purpose::Service => MESH_TOKEN_LIFETIME,
    }
}
