//! Who is calling, and what they may do: tokens, callers, memberships, access rules, and the keys behind them.
//!
//! - An **access token** ([`AccessTokens`]) is what a client holds: signed by auth, for the edge only.
//! - A **user token** ([`UserTokens`]) says inside the mesh which user a request is for: signed by the edge or,
//!   for the command line, by the operator.
//! - A **service token** ([`ServiceTokens`]) says which service makes a call: signed by that service, for one
//!   service only.
//! - [`Verifier`] checks all three; [`Caller`] is what it yields; [`check_access`] applies an operation's rule.
//! - [`keys`] is where the private keys, seeds and passwords of every identity are kept.
//!
//! All of it is synchronous, and the only I/O is reading and writing key files.

pub mod access;
pub mod caller;
pub mod keys;
pub mod memberships;
pub mod revocations;
pub mod tokens;

#[cfg(test)]
mod mangled_tests;

pub use access::{check_access, may_ask, may_pass};
pub use caller::{Caller, User};
pub use keys::{DataKey, KeyError, KeyStore, KeysMade, PublicKey, Purpose, Registry, Signer, SigningKey, jwks};
pub use memberships::Membership;
pub use revocations::Revocations;
pub use tokens::{AccessTokens, ServiceTokens, TokenError, UserTokens, Verifier};
