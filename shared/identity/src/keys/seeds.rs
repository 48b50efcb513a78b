//! The seeds of NATS nkeys.

use super::KeyError;
use nkeys::{KeyPair, KeyPairType};
use secrecy::{ExposeSecret, SecretString};
use std::path::Path;

/// An nkey with its seed.
#[derive(Debug, Clone)]
pub struct NatsSeed {
    /// The public key, `U…`.
    pub key: String,
    /// The seed.
    pub seed: SecretString,
}

impl NatsSeed {
    /// A new one.
    pub(super) fn generate(path: &Path) -> Result<NatsSeed, KeyError> {
        let pair = KeyPair::new_user();
        let seed = pair.seed().map_err(|_| KeyError::invalid(path, "the new seed cannot be encoded"))?;
        Ok(NatsSeed { key: pair.public_key(), seed: SecretString::from(seed) })
    }

    /// The one that a file has.
    pub(super) fn of(path: &Path, seed: SecretString) -> Result<NatsSeed, KeyError> {
        match KeyPair::from_seed(seed.expose_secret()) {
            Ok(pair) if pair.key_pair_type() == KeyPairType::User => Ok(NatsSeed { key: pair.public_key(), seed }),
            _ => Err(KeyError::invalid(path, "it is not the seed of a user's nkey")),
        }
    }

    /// The signature of a server's nonce.
    pub fn sign(&self, nonce: &[u8]) -> Option<Vec<u8>> {
        KeyPair::from_seed(self.seed.expose_secret()).ok()?.sign(nonce).ok()
    }
}
