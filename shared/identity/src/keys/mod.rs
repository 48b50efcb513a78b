//! The keys, seeds and passwords of every identity, as files.
//!
//! ```text
//! registry.json              public: kid, owner, purpose and public key of every signing key, and when it is used
//! <owner>.<purpose>.pem      private Ed25519 key, PKCS #8 (RFC 8410)
//! <owner>.<purpose>.next.pem the one that follows it, while keys are rotated
//! nats/registry.json         public: the nkeys of every NATS identity
//! nats/<identity>.nk         its seed
//! nats/<identity>.next.nk    the one that follows it, while keys are rotated
//! tls/registry.json          public: the authorities for connections to NATS
//! tls/authority.<id>.key     the private key and the certificate of an authority
//! tls/<identity>.<id>.pem    the private key of an identity, and what that authority has certified of it
//! nats-server/server.pem     the private key and the certificate of nats-server
//! nats-server/authorities.pem  public: the authorities whose clients it lets in
//! postgres/<role>.password   the password of a login role
//! data/<service>.key         what a service's keys of persons are wrapped under
//! ```
//!
//! Every secret is sealed under a key-encryption key which comes from the settings, each file by its own name
//! ([`Sealing`]); but for the password of Postgres's admin and the folder `nats-server`, which others read. Opening takes the
//! three public registries only; each secret is read when it is asked for, so a process needs to see no files but its own.

mod certificates;
mod create;
mod data;
mod error;
mod files;
mod folder;
mod live;
mod nats_registry;
mod registry;
mod rotate;
mod sealing;
mod seeds;
mod signer;
mod signing;
mod state;
mod store;

pub use certificates::{AUTHORITY, Authorities, Authority, Certificate, Issuance, NATS_SERVER, Validity};
pub use create::KeysMade;
pub use data::DataKey;
pub use error::KeyError;
pub use nats_registry::{NatsKey, NatsRegistry};
pub use registry::{PublicKey, Purpose, Registry, jwks};
pub use rotate::{RenewedCertificate, RotatedKey, Rotation};
pub use sealing::{Kept, KeyEncryptionKey, Sealing};
pub use seeds::NatsSeed;
pub use signer::Signer;
pub use signing::SigningKey;
pub use state::{KeyState, RotationTimes};
pub use store::KeyStore;

/// The service that keeps users and signs access tokens.
pub const AUTH: &str = "auth";
/// The HTTP face, which signs user tokens.
pub const EDGE: &str = "edge";
/// The person at the command line.
pub const OPERATOR: &str = "operator";
/// Services that are not of this platform but ask it, on behalf of customers whom they know.
pub const NEIGHBOUR: &str = "neighbour";
/// The identity under which streams, consumers and buckets are kept.
pub const PROVISION: &str = "provision";
/// The database role that owns the tables; its password is kept beside those of the services.
pub const POSTGRES_ADMIN: &str = "admin";

#[cfg(test)]
mod rotation_tests;
#[cfg(test)]
mod sealing_tests;
#[cfg(test)]
mod tests;
