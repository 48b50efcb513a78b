//! Verifying tokens.

use super::TokenError;
use super::kind::{ACCESS_AUDIENCE, ACCESS_ISSUER, USER_AUDIENCE, header_type, lifetime};
use crate::caller::User;
use crate::keys::{KeyStore, NEIGHBOUR, PublicKey, Purpose, Registry};
use chrono::Utc;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use quick_cache::sync::Cache;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use subjects::Role;
use subjects::ids::{SessionId, UserId};
use subjects::time::Instant;

/// No token of ours comes near this length, in bytes; what is longer is not even hashed.
pub(super) const MAX_TOKEN_BYTES: usize = 4096;
/// By how much, in seconds, the clocks of issuer and verifier may differ.
const CLOCK_LEEWAY_SECONDS: i64 = 5;
/// How many verified tokens are remembered, for users and for services each.
const REMEMBERED_TOKENS: usize = 10_000;

/// Verifies tokens with the keys of the registry. What passed is remembered by its hash until it expires, so a token
/// costs one signature check. **Whether the session was revoked is not looked at**: ask [`crate::Revocations`] each
/// time. Clones share their memory.
#[derive(Clone)]
pub struct Verifier {
    shared: Arc<Shared>,
}

struct Shared {
    /// The service that verifies: the audience of the service tokens it accepts.
    service: String,
    validation: Validation,
    /// Where keys come from that are added while the process runs.
    store: Option<KeyStore>,
    known: RwLock<Arc<Known>>,
}

/// The keys of one registry, and the tokens that were verified with them: another registry may have taken a key back.
struct Known {
    generation: u64,
    keys_by_kid: HashMap<String, VerifyingKey>,
    users: Cache<RememberedKey, Remembered<SignedUser>>,
    services: Cache<RememberedKey, Remembered<String>>,
}

impl Known {
    fn of(registry: &Registry, generation: u64) -> Known {
        let keys_by_kid = registry
            .verifying_bytes()
            .map(|(public, bytes)| {
                let decoding = DecodingKey::from_ed_der(&bytes);
                (public.kid.clone(), VerifyingKey { public: public.clone(), decoding })
            })
            .collect();
        let (users, services) = (Cache::new(REMEMBERED_TOKENS), Cache::new(REMEMBERED_TOKENS));
        Known { generation, keys_by_kid, users, services }
    }
}

struct VerifyingKey {
    public: PublicKey,
    decoding: DecodingKey,
}

/// A user, and who has signed for them.
type SignedUser = (User, String);

/// The purpose beside the token's SHA-256, or a remembered access token would pass for a user token.
type RememberedKey = (Purpose, [u8; 32]);

#[derive(Clone)]
struct Remembered<T> {
    value: T,
    expires_at: i64,
    /// When the key leaves that has signed it.
    leaves_at: Option<Instant>,
}

/// The claims of all kinds of token (RFC 7519 section 4.1); times in seconds since 1970.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    nbf: Option<i64>,
    sub: Option<UserId>,
    sid: Option<SessionId>,
    #[serde(default)]
    roles: Vec<String>,
}

impl Verifier {
    /// A verifier for what reaches `service`, with the keys of this registry.
    pub fn new(registry: &Registry, service: &str) -> Verifier {
        Verifier::with(Known::of(registry, 0), None, service)
    }

    /// A verifier for what reaches `service`, with the keys that the store has at the time: it follows what
    /// [`KeyStore::refresh`] reads.
    pub fn following(store: &KeyStore, service: &str) -> Verifier {
        // The generation first: a registry that is newer than its number is read again, an older one would not be.
        let generation = store.generation();
        Verifier::with(Known::of(&store.registry(), generation), Some(store.clone()), service)
    }

    fn with(known: Known, store: Option<KeyStore>, service: &str) -> Verifier {
        let mut validation = Validation::new(Algorithm::EdDSA);
        // Claims are checked below, against the key's owner and a clock that tests can set.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let known = RwLock::new(Arc::new(known));
        Verifier { shared: Arc::new(Shared { service: service.to_owned(), validation, store, known }) }
    }

    fn known(&self) -> Arc<Known> {
        let known = self.shared.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(store) = &self.shared.store else { return known };
        let generation = store.generation();
        if generation == known.generation {
            return known;
        }
        let fresh = Arc::new(Known::of(&store.registry(), generation));
        *self.shared.known.write().unwrap_or_else(PoisonError::into_inner) = fresh.clone();
        fresh
    }

    /// The user of an access token, for the edge and for auth's answer to `auth.validate`.
    pub fn verify_access(&self, token: &str) -> Result<User, TokenError> {
        self.verify_user_of(Purpose::Access, token, Utc::now())
    }

    /// The user of a user token, and who has signed it.
    pub fn verify_user(&self, token: &str) -> Result<(User, String), TokenError> {
        self.verify_signed(Purpose::User, token, Utc::now())
    }

    /// The name of the service that signed a service token for this one.
    pub fn verify_service(&self, token: &str) -> Result<String, TokenError> {
        self.verify_service_at(token, Utc::now())
    }

    pub(crate) fn verify_user_of(&self, purpose: Purpose, token: &str, now: Instant) -> Result<User, TokenError> {
        self.verify_signed(purpose, token, now).map(|(user, _signed_by)| user)
    }

    fn verify_signed(&self, purpose: Purpose, token: &str, now: Instant) -> Result<SignedUser, TokenError> {
        let known = self.known();
        remembering(&known.users, purpose, token, now, || {
            let (claims, leaves_at) = self.verified_claims(&known, purpose, token, now)?;
            let (Some(id), Some(session)) = (claims.sub, claims.sid) else {
                return Err(TokenError::Claims);
            };
            // A role of a later version gives no rights here, and takes none of the others away.
            let roles = claims.roles.iter().filter_map(|name| Role::parse(name));
            // A neighbour speaks for customers; nobody runs the platform through one.
            let is_neighbour = purpose == Purpose::User && claims.iss == NEIGHBOUR;
            let roles = roles.filter(|role| !is_neighbour || *role == Role::Customer).collect();
            let value = (User { id, session, roles }, claims.iss);
            Ok(Remembered { value, expires_at: claims.exp, leaves_at })
        })
    }

    pub(super) fn verify_service_at(&self, token: &str, now: Instant) -> Result<String, TokenError> {
        let known = self.known();
        remembering(&known.services, Purpose::Service, token, now, || {
            let (claims, leaves_at) = self.verified_claims(&known, Purpose::Service, token, now)?;
            Ok(Remembered { value: claims.iss, expires_at: claims.exp, leaves_at })
        })
    }

    /// The claims, and when the key leaves that has signed them.
    fn verified_claims(
        &self,
        known: &Known,
        purpose: Purpose,
        token: &str,
        now: Instant,
    ) -> Result<(Claims, Option<Instant>), TokenError> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        let key = key_for(known, purpose, &header, now)?;
        let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &self.shared.validation)
            .map_err(|error| match error.kind() {
                ErrorKind::InvalidSignature => TokenError::Signature,
                ErrorKind::InvalidAlgorithm => TokenError::Algorithm,
                ErrorKind::Json(_) => TokenError::Claims,
                _ => TokenError::Malformed,
            })?
            .claims;
        self.check_parties(&key.public, &claims)?;
        check_times(purpose, &claims, now)?;
        Ok((claims, key.public.leaves_at))
    }

    fn check_parties(&self, key: &PublicKey, claims: &Claims) -> Result<(), TokenError> {
        let (issuer, audience) = match key.purpose {
            Purpose::Access => (ACCESS_ISSUER, ACCESS_AUDIENCE),
            Purpose::User => (key.owner.as_str(), USER_AUDIENCE),
            Purpose::Service => (key.owner.as_str(), self.shared.service.as_str()),
        };
        if claims.iss != issuer {
            return Err(TokenError::Issuer);
        }
        if claims.aud != audience {
            return Err(TokenError::Audience);
        }
        Ok(())
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("service", &self.shared.service).finish_non_exhaustive()
    }
}

/// The key that the header names, if the header is one of this kind of token and the key may sign it.
fn key_for<'a>(
    known: &'a Known,
    purpose: Purpose,
    header: &Header,
    now: Instant,
) -> Result<&'a VerifyingKey, TokenError> {
    if header.alg != Algorithm::EdDSA {
        return Err(TokenError::Algorithm);
    }
    if header.typ.as_deref() != Some(header_type(purpose)) {
        return Err(TokenError::WrongType);
    }
    // What an issuer calls critical must be understood (RFC 7515 section 4.1.11), and we know no extensions.
    if header.crit.is_some() {
        return Err(TokenError::Malformed);
    }
    let kid = header.kid.as_deref().ok_or(TokenError::UnknownKey)?;
    let key = known.keys_by_kid.get(kid).ok_or(TokenError::UnknownKey)?;
    if key.public.purpose != purpose {
        return Err(TokenError::WrongPurpose);
    }
    if has_left(key.public.leaves_at, now) {
        return Err(TokenError::UnknownKey);
    }
    Ok(key)
}

/// Whether a key is one that nobody should hear of any more.
fn has_left(leaves_at: Option<Instant>, now: Instant) -> bool {
    leaves_at.is_some_and(|leaves_at| leaves_at <= now)
}

/// The remembered result for this token, or else what `verify` finds, which is then remembered. Refusals are not:
/// anybody can make up any number of tokens.
fn remembering<T: Clone>(
    remembered_tokens: &Cache<RememberedKey, Remembered<T>>,
    purpose: Purpose,
    token: &str,
    now: Instant,
    verify: impl FnOnce() -> Result<Remembered<T>, TokenError>,
) -> Result<T, TokenError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(TokenError::TooLong);
    }
    let remembered_key = (purpose, Sha256::digest(token).into());
    if let Some(remembered) = remembered_tokens.get(&remembered_key) {
        if is_expired(remembered.expires_at, now) {
            remembered_tokens.remove(&remembered_key);
            return Err(TokenError::Expired);
        }
        if has_left(remembered.leaves_at, now) {
            remembered_tokens.remove(&remembered_key);
            return Err(TokenError::UnknownKey);
        }
        return Ok(remembered.value);
    }
    let verified = verify()?;
    remembered_tokens.insert(remembered_key, verified.clone());
    Ok(verified.value)
}

fn check_times(purpose: Purpose, claims: &Claims, now: Instant) -> Result<(), TokenError> {
    // A revoked session is remembered for as long as its tokens may live: a longer one would come back to life.
    if claims.exp.saturating_sub(claims.iat) > lifetime(purpose).num_seconds() {
        return Err(TokenError::TooLongLived);
    }
    if is_expired(claims.exp, now) {
        return Err(TokenError::Expired);
    }
    let valid_from = claims.iat.max(claims.nbf.unwrap_or(claims.iat));
    if valid_from > now.timestamp().saturating_add(CLOCK_LEEWAY_SECONDS) {
        return Err(TokenError::NotYetValid);
    }
    Ok(())
}

fn is_expired(expires_at: i64, now: Instant) -> bool {
    now.timestamp() >= expires_at.saturating_add(CLOCK_LEEWAY_SECONDS)
}
