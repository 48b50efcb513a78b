//! Signing with whichever key of an owner is in use.

use super::{KeyError, Purpose, SigningKey};
use chrono::Utc;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use subjects::time::Instant;

/// Signs for one owner and purpose. One that comes from [`super::KeyStore::signer`] goes over to the next key when its
/// time has come; clones go over together.
#[derive(Clone)]
pub struct Signer(Arc<Inner>);

struct Inner {
    owner: String,
    purpose: Purpose,
    held: RwLock<HeldKeys>,
}

/// The private keys of an owner: the one in use, and the one that follows it while there is such.
#[derive(Clone)]
pub(super) struct HeldKeys {
    pub(super) current: SigningKey,
    pub(super) next: Option<(SigningKey, Option<Instant>)>,
}

impl HeldKeys {
    pub(super) fn at(&self, now: Instant) -> &SigningKey {
        match &self.next {
            Some((next, signs_from)) if *signs_from <= Some(now) => next,
            _ => &self.current,
        }
    }
}

impl Signer {
    pub(super) fn new(owner: &str, purpose: Purpose, held: HeldKeys) -> Signer {
        Signer(Arc::new(Inner { owner: owner.to_owned(), purpose, held: RwLock::new(held) }))
    }

    /// Who signs.
    pub fn owner(&self) -> &str {
        &self.0.owner
    }

    /// The key in use at this time.
    pub(crate) fn key_at(&self, now: Instant) -> SigningKey {
        self.0.held.read().unwrap_or_else(PoisonError::into_inner).at(now).clone()
    }

    pub(super) fn downgrade(&self) -> WeakSigner {
        WeakSigner(Arc::downgrade(&self.0))
    }

    /// Replaces what is held by what can be read now. Whoever cannot read anything goes on with what they have.
    pub(super) fn read_again(
        &self,
        read: impl FnOnce(&str, Purpose) -> Result<HeldKeys, KeyError>,
    ) -> Result<(), KeyError> {
        let fresh = read(&self.0.owner, self.0.purpose)?;
        *self.0.held.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }
}

/// One that does not go over by itself: for a key that is used once.
impl From<SigningKey> for Signer {
    fn from(key: SigningKey) -> Signer {
        let (owner, purpose) = (key.owner().to_owned(), key.purpose());
        Signer::new(&owner, purpose, HeldKeys { current: key, next: None })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key_at(Utc::now());
        f.debug_struct("Signer").field("key", &key).finish_non_exhaustive()
    }
}

/// A signer that somebody may still have.
pub(super) struct WeakSigner(Weak<Inner>);

impl WeakSigner {
    pub(super) fn upgrade(&self) -> Option<Signer> {
        self.0.upgrade().map(Signer)
    }
}
