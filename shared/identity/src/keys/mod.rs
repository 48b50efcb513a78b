//! The keys, seeds and passwords of every identity, as files.
//!
//! ```text
//! registry.json              public: kid, owner, purpose and public key of every signing key
//! <owner>.<purpose>.pem      private Ed25519 key, PKCS #8 (RFC 8410)
//! nats/registry.json         public: the nkey of every NATS identity
//! nats/<identity>.nk         its seed
//! postgres/<role>.password   the password of a login role
//! data/<service>.key         what a service's keys of persons are wrapped under
//! ```
//!
//! Opening takes the two public registries only; each secret is read when it is asked for, so a process needs to
//! see no files but its own.

mod create;
mod data;
mod error;
mod files;
mod registry;
mod signing;

pub use create::KeysMade;
pub use data::DataKey;
pub use error::KeyError;
pub use registry::{PublicKey, Purpose, Registry, jwks};
pub use signing::SigningKey;

use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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

/// A folder of keys.
#[derive(Debug, Clone)]
pub struct KeyStore {
    dir: PathBuf,
    registry: Registry,
    nats_public_keys: BTreeMap<String, String>,
}

impl KeyStore {
    /// Opens the folder and reads its public registries, but no secret.
    pub fn open(dir: impl AsRef<Path>) -> Result<KeyStore, KeyError> {
        let dir = dir.as_ref().to_path_buf();
        let registry = create::read_registry(&dir)?;
        let nats_public_keys = create::read_nats_registry(&dir)?;
        Ok(KeyStore { dir, registry, nats_public_keys })
    }

    /// Makes whatever the named services, the edge, the operator, the neighbours and the provisioner need and do not have yet, and
    /// tells what it made. What is there stays as it is. A new folder gets mode 0700, every file 0600.
    pub fn create_missing(dir: impl AsRef<Path>, services: &[&str]) -> Result<KeysMade, KeyError> {
        create::create_missing(dir.as_ref(), services)
    }

    /// Where the files are.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The public keys of all signing keys.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The private key that `owner` signs with for this purpose. It must stand in the registry, or else nobody
    /// would accept what it signs.
    pub fn signing_key(&self, owner: &str, purpose: Purpose) -> Result<SigningKey, KeyError> {
        let path = files::signing_key_path(&self.dir, owner, purpose)?;
        let pem = files::read_secret(&path)?;
        let key = SigningKey::from_pkcs8_pem(owner, purpose, pem.expose_secret())
            .map_err(|reason| KeyError::invalid(&path, reason))?;
        match self.registry.find(key.kid()) {
            Some(public) if public.owner == owner && public.purpose == purpose => Ok(key),
            _ => Err(KeyError::NotInRegistry { path }),
        }
    }

    /// The seed of a NATS identity's nkey.
    pub fn nats_seed(&self, identity: &str) -> Result<SecretString, KeyError> {
        files::read_secret(&files::nats_seed_path(&self.dir, identity)?)
    }

    /// The public nkey (`U…`) of every NATS identity, by name.
    pub fn nats_public_keys(&self) -> BTreeMap<String, String> {
        self.nats_public_keys.clone()
    }

    /// The password of a service's database role, or of [`POSTGRES_ADMIN`].
    pub fn postgres_password(&self, service: &str) -> Result<SecretString, KeyError> {
        files::read_secret(&files::postgres_password_path(&self.dir, service)?)
    }

    /// The key under which a service wraps the keys of the persons whose texts it keeps.
    pub fn data_key(&self, service: &str) -> Result<DataKey, KeyError> {
        let path = files::data_key_path(&self.dir, service)?;
        let text = files::read_secret(&path)?;
        DataKey::parse(&text).ok_or_else(|| KeyError::invalid(&path, "it is not 32 bytes in base64url"))
    }
}

#[cfg(test)]
mod tests;
