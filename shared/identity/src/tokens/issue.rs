//! Issuing tokens.

use super::kind::{ACCESS_AUDIENCE, ACCESS_ISSUER, USER_AUDIENCE, header_type};
use crate::caller::User;
use crate::keys::{Signer, SigningKey};
use chrono::{Duration, Utc};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use subjects::time::Instant;
use uuid::Uuid;

/// How long an access token lives.
pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::minutes(15);
/// How long a user token or a service token lives.
pub const MESH_TOKEN_LIFETIME: Duration = Duration::seconds(60);
/// How long before its expiry a service token is made anew.
const RENEWAL_MARGIN: Duration = Duration::seconds(15);

/// Issues access tokens (RFC 9068), with auth's key of [`crate::Purpose::Access`]; with another key, everybody
/// refuses them.
#[derive(Debug, Clone)]
pub struct AccessTokens {
    signer: Signer,
}

impl AccessTokens {
    /// Issues with this key, or with whichever key of its owner is in use.
    pub fn new(signer: impl Into<Signer>) -> AccessTokens {
        AccessTokens { signer: signer.into() }
    }

    /// A token for the edge, valid from `now` for [`ACCESS_TOKEN_LIFETIME`].
    pub fn issue(&self, user: &User, now: Instant) -> String {
        let claims = json!({
            "iss": ACCESS_ISSUER,
            "aud": ACCESS_AUDIENCE,
            "sub": user.id,
            "sid": user.session,
            "roles": user.roles,
            "iat": now.timestamp(),
            "exp": (now + ACCESS_TOKEN_LIFETIME).timestamp(),
            "jti": Uuid::now_v7(),
        });
        self.signer.key_at(now).sign_token(header_type(crate::Purpose::Access), &claims)
    }
}

/// Issues user tokens, with a key of [`crate::Purpose::User`] of the edge, the operator or a neighbour; with another key,
/// everybody refuses them.
#[derive(Debug, Clone)]
pub struct UserTokens {
    signer: Signer,
}

impl UserTokens {
    /// Issues with this key, or with whichever key of its owner is in use.
    pub fn new(signer: impl Into<Signer>) -> UserTokens {
        UserTokens { signer: signer.into() }
    }

    /// A token for every service, valid from `now` for [`MESH_TOKEN_LIFETIME`].
    pub fn issue(&self, user: &User, now: Instant) -> String {
        let claims = json!({
            "iss": self.signer.owner(),
            "aud": USER_AUDIENCE,
            "sub": user.id,
            "sid": user.session,
            "roles": user.roles,
            "iat": now.timestamp(),
            "exp": (now + MESH_TOKEN_LIFETIME).timestamp(),
        });
        self.signer.key_at(now).sign_token(header_type(crate::Purpose::User), &claims)
    }
}

/// Issues service tokens, with the service's own key of [`crate::Purpose::Service`]; with another key, everybody
/// refuses them. Clones share what they have issued.
#[derive(Debug, Clone)]
pub struct ServiceTokens {
    signer: Signer,
    issued_by_audience: Arc<RwLock<HashMap<String, Issued>>>,
}

#[derive(Clone)]
struct Issued {
    token: String,
    /// With which key: one that is not in use any more leaves soon.
    kid: String,
    renew_at: Instant,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").field("renew_at", &self.renew_at).finish_non_exhaustive()
    }
}

impl ServiceTokens {
    /// Issues with this key, or with whichever key of its owner is in use.
    pub fn new(signer: impl Into<Signer>) -> ServiceTokens {
        ServiceTokens { signer: signer.into(), issued_by_audience: Arc::default() }
    }

    /// A token for one service, valid for [`MESH_TOKEN_LIFETIME`]. The same one is given again until 15 s before
    /// it expires.
    pub fn for_audience(&self, audience: &str) -> String {
        self.for_audience_at(audience, Utc::now())
    }

    pub(super) fn for_audience_at(&self, audience: &str, now: Instant) -> String {
        let key = self.signer.key_at(now);
        let known = {
            let issued_by_audience = self.issued_by_audience.read().unwrap_or_else(PoisonError::into_inner);
            let is_good = |issued: &&Issued| now < issued.renew_at && issued.kid == key.kid();
            issued_by_audience.get(audience).filter(is_good).map(|issued| issued.token.clone())
        };
        known.unwrap_or_else(|| self.issue(&key, audience, now))
    }

    fn issue(&self, key: &SigningKey, audience: &str, now: Instant) -> String {
        let expiry = now + MESH_TOKEN_LIFETIME;
        let claims = json!({
            "iss": self.signer.owner(),
            "aud": audience,
            "iat": now.timestamp(),
            "exp": expiry.timestamp(),
        });
        let token = key.sign_token(header_type(crate::Purpose::Service), &claims);
        let issued = Issued { token: token.clone(), kid: key.kid().to_owned(), renew_at: expiry - RENEWAL_MARGIN };
        let mut issued_by_audience = self.issued_by_audience.write().unwrap_or_else(PoisonError::into_inner);
        issued_by_audience.insert(audience.to_owned(), issued);
        token
    }
}
