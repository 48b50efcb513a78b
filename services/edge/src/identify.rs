//! From a client's access token to the internal user token that travels on.

use crate::problem::INVALID_TOKEN;
use chrono::Utc;
use http::{HeaderMap, header};
use identity::{Caller, Revocations, User, UserTokens, Verifier};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use subjects::Fault;

/// Longer tokens are not ours.
const MAX_TOKEN_BYTES: usize = 4_096;
/// How long a user token is used again: it lives 60 s and has to outlive the requests that it is sent with.
const REUSE: Duration = Duration::from_secs(40);
/// How many user tokens are kept at the most.
const MAX_CACHED: usize = 10_000;

type TokenHash = [u8; 32];

/// Who asks, and the token that tells the mesh.
#[derive(Debug, Clone)]
pub struct Identified {
    /// The user, or nobody.
    pub caller: Caller,
    /// The internal user token; none for nobody.
    pub user_token: Option<Arc<str>>,
}

/// Verifies access tokens and signs internal user tokens in their place.
pub struct Identities {
    verifier: Verifier,
    revocations: Revocations,
    user_tokens: UserTokens,
    issued: Mutex<HashMap<TokenHash, (Arc<str>, Instant)>>,
}

impl Identities {
    /// `verifier` is the edge's, `user_tokens` signs with the edge's key.
    pub fn new(verifier: Verifier, revocations: Revocations, user_tokens: UserTokens) -> Identities {
        Identities { verifier, revocations, user_tokens, issued: Mutex::default() }
    }

    /// Who sends a request with these headers. Only `Authorization` is looked at: whatever else claims an identity
    /// is never passed on.
    ///
    /// # Errors
    /// `unauthenticated` when a token is shown that does not hold, also where none is needed.
    pub fn identify(&self, headers: &HeaderMap) -> Result<Identified, Fault> {
        if !headers.contains_key(header::AUTHORIZATION) {
            return Ok(Identified { caller: Caller::anonymous(), user_token: None });
        }
        let access_token = bearer_token(headers).ok_or_else(invalid_token)?;
        let user = self.verifier.verify_access(access_token).map_err(|error| invalid_token().with_source(error))?;
        if self.revocations.is_revoked(user.session) {
            return Err(invalid_token());
        }
        let user_token = self.user_token(access_token, &user)?;
        Ok(Identified { caller: Caller::of_user(user), user_token: Some(user_token) })
    }

    fn user_token(&self, access_token: &str, user: &User) -> Result<Arc<str>, Fault> {
        let hash: TokenHash = Sha256::digest(access_token).into();
        let now = Instant::now();
        let is_fresh = |signed_at: Instant| now.duration_since(signed_at) < REUSE;
        {
            let issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((token, signed_at)) = issued.get(&hash)
                && is_fresh(*signed_at)
            {
                return Ok(token.clone());
            }
        }
        // Signing takes tens of microseconds: not under the lock.
        let token: Arc<str> = self.user_tokens.issue(user, Utc::now()).into();
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if issued.len() >= MAX_CACHED {
            issued.retain(|_, (_, signed_at)| is_fresh(*signed_at));
        }
        if issued.len() >= MAX_CACHED {
            issued.clear();
        }
        issued.insert(hash, (token.clone(), now));
        Ok(token)
    }
}

fn invalid_token() -> Fault {
    Fault::unauthenticated().with_reason(INVALID_TOKEN)
}

/// The token of the one `Authorization: Bearer` header.
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = crate::context::single(headers, &header::AUTHORIZATION)?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    let is_ours = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.len() <= MAX_TOKEN_BYTES;
    is_ours.then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_bearer_token_is_read() {
        let headers = |values: &[&str]| {
            let mut map = HeaderMap::new();
            for value in values {
                map.append(header::AUTHORIZATION, value.parse().unwrap());
            }
            map
        };
        assert_eq!(bearer_token(&headers(&["Bearer abc"])), Some("abc"));
        assert_eq!(bearer_token(&headers(&["bearer abc"])), Some("abc"));
        for refused in [&["Basic abc"][..], &["Bearer "], &["Bearer"], &["Bearer a", "Bearer b"]] {
            assert_eq!(bearer_token(&headers(refused)), None, "{refused:?}");
        }
        assert_eq!(bearer_token(&headers(&[&format!("Bearer {}", "a".repeat(5_000))])), None);
    }
}
