//! Certificates for connections to NATS: an authority of our own, what it has certified for each identity, and for the
//! server itself. Nobody else's authority is trusted.
//!
//! An authority follows another one as keys do, but for one thing: the old one is forgotten by a command only, and only
//! once nats-server has had a certificate of the new one for a while. A command that is forgotten costs nothing then.

mod authorities;
mod authority;
mod certificate;
mod issue;
mod rotate;
mod server;

pub use authorities::{Authorities, Authority};
pub use certificate::{Certificate, Validity};
pub use issue::Issuance;
pub(super) use issue::{create_missing, held_by, validity_of_server};
pub(super) use rotate::{rotate, tidy};

/// What `petpro keys rotate` calls the certificate of nats-server.
pub const NATS_SERVER: &str = "nats";
/// What `petpro keys rotate` calls the authority that certifies everybody else.
pub const AUTHORITY: &str = "ca";

#[cfg(test)]
mod tests;
