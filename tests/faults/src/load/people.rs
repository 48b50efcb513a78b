//! Who asks: people of the demo data. Their tokens are signed with the platform's own key, anew before they expire.

use chrono::Utc;
use identity::keys::{AUTH, KeyStore, Purpose};
use identity::{AccessTokens, User};
use petpro::demo_users::{self, DemoUser};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use subjects::ids::SessionId;

/// How long a token is used; it would hold for a quarter of an hour.
const USED_FOR: Duration = Duration::from_secs(300);

/// The people, with tokens that hold.
pub struct People {
    issuer: AccessTokens,
    tokens: Mutex<Option<(Instant, Tokens)>>,
}

/// An access token for each.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Who has a cat.
    pub cat_owner: String,
    /// Who has a dog.
    pub dog_owner: String,
    /// Who runs all clinics.
    pub clinic_owner: String,
}

impl People {
    /// # Errors
    /// There is no key.
    pub fn new(keys: &KeyStore) -> anyhow::Result<People> {
        Ok(People { issuer: AccessTokens::new(keys.signing_key(AUTH, Purpose::Access)?), tokens: Mutex::default() })
    }

    /// Tokens that still hold for a while.
    pub fn tokens(&self) -> Tokens {
        let mut kept = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((issued, tokens)) if issued.elapsed() < USED_FOR => tokens.clone(),
            _ => {
                let tokens = Tokens {
                    cat_owner: self.issue(&demo_users::CAT_OWNER),
                    dog_owner: self.issue(&demo_users::DOG_OWNER),
                    clinic_owner: self.issue(&demo_users::CLINIC_OWNER),
                };
                *kept = Some((Instant::now(), tokens.clone()));
                tokens
            }
        }
    }

    fn issue(&self, user: &DemoUser) -> String {
        let user = User { id: user.id(), session: SessionId::new(), roles: vec![user.role] };
        self.issuer.issue(&user, Utc::now())
    }
}
