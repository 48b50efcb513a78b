//! The public nkeys of the NATS identities.

use super::state::{KeyState, state};
use nkeys::{KeyPair, KeyPairType};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use subjects::time::Instant;

/// A public nkey of an identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NatsKey {
    /// The key, `U…`.
    pub key: String,
    /// From when on the identity connects with it; until then NATS only knows it. From the beginning where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connects_from: Option<Instant>,
    /// From when on NATS should not know it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves_at: Option<Instant>,
}

/// The nkeys of every identity. In the file an identity with a single key has just that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NatsRegistry(BTreeMap<String, Entry>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Entry {
    One(String),
    Several(Vec<NatsKey>),
}

impl NatsRegistry {
    /// Reads a registry and checks every key in it; on failure says what is wrong.
    pub fn from_json(text: &str) -> Result<NatsRegistry, String> {
        let registry: NatsRegistry = serde_json::from_str(text).map_err(|error| error.to_string())?;
        for identity in registry.identities() {
            let keys = registry.keys_of(identity);
            let is_user_key = |key: &NatsKey| {
                KeyPair::from_public_key(&key.key).is_ok_and(|pair| pair.key_pair_type() == KeyPairType::User)
            };
            if keys.is_empty() || !keys.iter().all(is_user_key) {
                return Err(format!("the key of {identity} is not a user's nkey"));
            }
        }
        Ok(registry)
    }

    /// The names of all identities.
    pub fn identities(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The keys of an identity, in the order in which they came.
    pub fn keys_of(&self, identity: &str) -> Vec<NatsKey> {
        match self.0.get(identity) {
            None => Vec::new(),
            Some(Entry::One(key)) => vec![NatsKey { key: key.clone(), connects_from: None, leaves_at: None }],
            Some(Entry::Several(keys)) => keys.clone(),
        }
    }

    /// The key that an identity connects with at this time.
    pub fn active(&self, identity: &str, now: Instant) -> Option<NatsKey> {
        let keys = self.keys_of(identity).into_iter();
        keys.filter(|key| key.connects_from <= Some(now)).max_by_key(|key| key.connects_from)
    }

    /// The keys that NATS should know at this time.
    pub fn known(&self, identity: &str, now: Instant) -> Vec<String> {
        let keys = self.keys_of(identity).into_iter();
        keys.filter(|key| key.leaves_at.is_none_or(|leaves_at| leaves_at > now)).map(|key| key.key).collect()
    }

    /// Where a key of an identity stands in its life.
    pub fn state(&self, identity: &str, key: &NatsKey, now: Instant) -> KeyState {
        let is_active = self.active(identity, now).is_some_and(|active| active.key == key.key);
        state(key.connects_from, key.leaves_at, is_active, now)
    }

    /// Puts these keys in place of those that an identity had.
    pub(super) fn set(&mut self, identity: &str, keys: Vec<NatsKey>) {
        let entry = match keys.as_slice() {
            [NatsKey { key, connects_from: None, leaves_at: None }] => Entry::One(key.clone()),
            _ => Entry::Several(keys),
        };
        self.0.insert(identity.to_owned(), entry);
    }
}
