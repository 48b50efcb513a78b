//! Unwrapped keys, held in memory for a short while.

use super::key::PersonKey;
use quick_cache::sync::Cache;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How many unwrapped keys are held at the most, of some hundred bytes each.
const MOST: usize = 10_000;

/// The unwrapped keys of one service's process. A key that may not be used any more is let go, and so wiped from memory,
/// whether or not somebody asks for it again.
pub(super) struct HeldKeys {
    keys: Cache<Uuid, Held>,
    used_for: Duration,
}

#[derive(Clone)]
struct Held {
    key: PersonKey,
    until: Instant,
}

impl HeldKeys {
    /// Holds none so far. Each is used for so long, and lies in memory for twice as long at the most. To be called where
    /// tasks can be spawned.
    pub(super) fn new(used_for: Duration) -> Arc<HeldKeys> {
        let held = Arc::new(HeldKeys { keys: Cache::new(MOST), used_for });
        tokio::spawn(let_old_ones_go(Arc::downgrade(&held), used_for));
        held
    }

    /// The key of a subject, where it may still be used.
    pub(super) fn get(&self, subject: Uuid) -> Option<PersonKey> {
        let held = self.keys.get(&subject)?;
        if held.until > Instant::now() {
            return Some(held.key);
        }
        self.keys.remove(&subject);
        None
    }

    /// Holds a key that has just been read.
    pub(super) fn hold(&self, subject: Uuid, key: PersonKey) {
        self.keys.insert(subject, Held { key, until: Instant::now() + self.used_for });
    }

    /// Lets the key of a subject go.
    pub(super) fn remove(&self, subject: Uuid) {
        self.keys.remove(&subject);
    }
}

/// For as long as somebody else has them.
async fn let_old_ones_go(held: Weak<HeldKeys>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let Some(held) = held.upgrade() else { return };
        let now = Instant::now();
        held.keys.retain(|_subject, held| held.until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    #[tokio::test]
    async fn a_key_that_nobody_asks_for_again_leaves_memory() {
        let (asked_for, forgotten) = (Uuid::now_v7(), Uuid::now_v7());
        let held = HeldKeys::new(Duration::from_millis(50));
        let keys = [asked_for, forgotten].map(|subject| PersonKey::new(subject, Zeroizing::new(rand::random())));
        for key in &keys {
            held.hold(key.subject(), key.clone());
            assert!(key.holders() > 1);
        }
        let gone = async {
            while keys.iter().any(|key| key.holders() > 1) {
                // Whoever asks does not keep it alive.
                let _as_long_as_it_may_be_used = held.get(asked_for);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), gone).await.expect("a key stays in memory");
        assert!(held.get(asked_for).is_none() && held.get(forgotten).is_none());
    }

    #[tokio::test]
    async fn a_key_that_may_be_used_stays_and_one_that_was_let_go_does_not() {
        let (kept, removed) = (Uuid::now_v7(), Uuid::now_v7());
        let held = HeldKeys::new(Duration::from_secs(3_600));
        for subject in [kept, removed] {
            held.hold(subject, PersonKey::new(subject, Zeroizing::new(rand::random())));
        }
        held.remove(removed);
        assert!(held.get(kept).is_some() && held.get(removed).is_none());
    }
}
