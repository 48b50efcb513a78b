//! The public half of every signing key.

use super::state::{KeyState, state};
use super::{AUTH, EDGE, NEIGHBOUR, OPERATOR};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use subjects::time::Instant;

/// What a key signs. A key signs one kind of token only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Access tokens for clients.
    Access,
    /// User tokens inside the mesh.
    User,
    /// Service tokens inside the mesh.
    Service,
}

impl Purpose {
    /// The name in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Purpose::Access => "access",
            Purpose::User => "user",
            Purpose::Service => "service",
        }
    }

    /// Whether `owner` may sign such tokens at all. A service that could sign user tokens could be any user.
    pub fn may_be_held_by(self, owner: &str) -> bool {
        match self {
            Purpose::Access => owner == AUTH,
            Purpose::User => [EDGE, OPERATOR, NEIGHBOUR].contains(&owner),
            Purpose::Service => ![OPERATOR, NEIGHBOUR].contains(&owner),
        }
    }
}

/// A public Ed25519 key with whose it is and what for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// The key's name in token headers: its JWK thumbprint (RFC 7638, RFC 8037 appendix A.3).
    pub kid: String,
    /// The service or person who signs with it.
    pub owner: String,
    /// What is signed with it.
    pub purpose: Purpose,
    /// The key, base64url without padding, as in a JWK (RFC 8037).
    pub x: String,
    /// From when on it is signed with; until then it is only known. From the beginning where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signs_from: Option<Instant>,
    /// From when on nothing is accepted that it has signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves_at: Option<Instant>,
}

impl PublicKey {
    pub(super) fn new(owner: &str, purpose: Purpose, key: &VerifyingKey) -> PublicKey {
        let x = URL_SAFE_NO_PAD.encode(key.as_bytes());
        PublicKey { kid: thumbprint(&x), owner: owner.to_owned(), purpose, x, signs_from: None, leaves_at: None }
    }

    /// The 32 bytes of the key, if it is one that may be used. The length is checked before anything else touches
    /// it, since what verifies signatures relies on it.
    fn checked_bytes(&self) -> Result<[u8; 32], String> {
        let decoded = URL_SAFE_NO_PAD.decode(&self.x).map_err(|_| format!("x of {} is not base64url", self.kid))?;
        let length = decoded.len();
        let bytes: [u8; 32] =
            decoded.try_into().map_err(|_| format!("x of {} has {length} bytes instead of 32", self.kid))?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| format!("x of {} is not a point", self.kid))?;
        if key.is_weak() {
            return Err(format!("x of {} is a weak key", self.kid));
        }
        if self.kid != thumbprint(&self.x) {
            return Err(format!("kid {} is not the thumbprint of its key", self.kid));
        }
        if !self.purpose.may_be_held_by(&self.owner) {
            return Err(format!("{} may not sign {} tokens", self.owner, self.purpose.as_str()));
        }
        Ok(bytes)
    }
}

/// The JWK thumbprint: SHA-256 over the required members in this order and without white space.
fn thumbprint(x: &str) -> String {
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(canonical))
}

/// The public keys of everybody who signs. An owner may have several keys of one purpose, so that a new one can be
/// known before it is used and an old one until its last token has expired.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Registry {
    keys: Vec<PublicKey>,
}

#[derive(Deserialize)]
struct RegistryFile {
    keys: Vec<PublicKey>,
}

impl Registry {
    /// Reads a registry and checks every key in it; on failure says what is wrong.
    pub fn from_json(text: &str) -> Result<Registry, String> {
        let file: RegistryFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut registry = Registry::default();
        for key in file.keys {
            key.checked_bytes()?;
            if !registry.insert(key) {
                return Err("a kid stands there twice".to_owned());
            }
        }
        Ok(registry)
    }

    /// Every key.
    pub fn keys(&self) -> &[PublicKey] {
        &self.keys
    }

    /// The key of this kid.
    pub fn find(&self, kid: &str) -> Option<&PublicKey> {
        self.keys.iter().find(|key| key.kid == kid)
    }

    /// The keys of an owner for one purpose.
    pub fn keys_of(&self, owner: &str, purpose: Purpose) -> impl Iterator<Item = &PublicKey> {
        self.keys.iter().filter(move |key| key.owner == owner && key.purpose == purpose)
    }

    /// The key that an owner signs with at this time.
    pub fn active(&self, owner: &str, purpose: Purpose, now: Instant) -> Option<&PublicKey> {
        // Of several that began at the same time the last one counts: it came to the registry after the others.
        self.keys_of(owner, purpose).filter(|key| key.signs_from <= Some(now)).max_by_key(|key| key.signs_from)
    }

    /// Where a key of this registry stands in its life.
    pub fn state(&self, key: &PublicKey, now: Instant) -> KeyState {
        let active = self.active(&key.owner, key.purpose, now);
        state(key.signs_from, key.leaves_at, active.is_some_and(|active| active.kid == key.kid), now)
    }

    /// Changes each key of an owner for one purpose.
    pub(super) fn change_of(&mut self, owner: &str, purpose: Purpose, change: impl FnMut(&mut PublicKey)) {
        self.keys.iter_mut().filter(|key| key.owner == owner && key.purpose == purpose).for_each(change);
    }

    /// Drops the other keys.
    pub(super) fn retain(&mut self, keep: impl FnMut(&PublicKey) -> bool) {
        self.keys.retain(keep);
    }

    /// Adds a key, unless its kid is there already.
    pub(super) fn insert(&mut self, key: PublicKey) -> bool {
        let is_new = self.find(&key.kid).is_none();
        if is_new {
            self.keys.push(key);
        }
        is_new
    }

    /// Each key with its 32 bytes.
    pub(crate) fn verifying_bytes(&self) -> impl Iterator<Item = (&PublicKey, [u8; 32])> {
        // Keys come in through `from_json` or from a private key, so none is left out here.
        self.keys.iter().filter_map(|key| Some((key, key.checked_bytes().ok()?)))
    }
}

/// The keys that verify access tokens now or soon, as a JWK set (RFC 7517, RFC 8037).
pub fn jwks(registry: &Registry) -> serde_json::Value {
    let now = Utc::now();
    let keys: Vec<_> = registry
        .keys()
        .iter()
        .filter(|key| key.purpose == Purpose::Access && registry.state(key, now) != KeyState::Gone)
        .map(|key| json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.kid, "x": key.x }))
        .collect();
    json!({ "keys": keys })
}
