//! Sessions that were ended before their tokens expire.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use subjects::ids::SessionId;
use subjects::time::Instant;

/// The revoked sessions, in memory. The truth is in auth's tables; every replica hears of changes and replays them
/// at its start. Clones share one list.
#[derive(Debug, Clone, Default)]
pub struct Revocations {
    /// Each revoked session with the time until which one of its tokens could still be valid.
    until_by_session: Arc<RwLock<HashMap<SessionId, Instant>>>,
}

impl Revocations {
    /// An empty list.
    pub fn new() -> Revocations {
        Revocations::default()
    }

    /// Notes that the session is over. `until` is when the last of its tokens expires; the later time wins when
    /// the session is revoked twice.
    pub fn revoke(&self, session: SessionId, until: Instant) {
        let mut until_by_session = self.until_by_session.write().unwrap_or_else(PoisonError::into_inner);
        let known_until = until_by_session.entry(session).or_insert(until);
        *known_until = until.max(*known_until);
    }

    /// Whether the session is over. To be asked on every request, also when the token's verification is cached.
    pub fn is_revoked(&self, session: SessionId) -> bool {
        self.until_by_session.read().unwrap_or_else(PoisonError::into_inner).contains_key(&session)
    }

    /// Forgets sessions of which no token can be valid any more.
    pub fn prune(&self, now: Instant) {
        self.until_by_session.write().unwrap_or_else(PoisonError::into_inner).retain(|_, until| *until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Duration, Utc};

    #[test]
    fn a_revoked_session_is_forgotten_only_when_its_tokens_are_over() {
        let (session, now) = (SessionId::new(), Utc::now());
        let revocations = Revocations::new();
        let shared = revocations.clone();
        revocations.revoke(session, now + Duration::minutes(15));
        revocations.revoke(session, now + Duration::minutes(1));
        assert!(shared.is_revoked(session));
        assert!(!shared.is_revoked(SessionId::new()));

        shared.prune(now + Duration::minutes(14));
        assert!(revocations.is_revoked(session));
        shared.prune(now + Duration::minutes(15));
        assert!(!revocations.is_revoked(session));
    }
}
