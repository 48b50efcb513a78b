//! Signing in and out, sessions, and the keys that tokens are checked with.

use super::error::AuthError;
use super::secret::{Password, Token};
use super::users::User;
use crate::access::Access;
use crate::audit::Audit;
use crate::ids::{SessionId, UserId};
use crate::paging::Page;
use crate::request::{Budget, Effect, Request, Rest};
use crate::role::Role;
use crate::service_error::NoError;
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Signs in with an e-mail address and a password, and starts a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Login {
    /// The address of the account.
    #[garde(length(chars, min = 1, max = 254), pattern(r"^[^\x00]*$"))]
    pub email: String,
    /// Its password.
    #[garde(dive)]
    pub password: Password,
    /// A name by which the user will know this session in a list, for example `Sari's phone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 100), pattern(r"^[^\x00]*$"))]
    pub device: Option<String>,
}

impl Request for Login {
    const SUBJECT: &'static str = "auth.login";
    const ACCESS: Access = Access::PUBLIC;
    const EFFECT: Effect = Effect::Once;
    const AUDIT: Audit = Audit::Always;
    const BUDGET: Budget = Budget::Credentials;
    const REST: &'static [Rest] = &[Rest::post("/auth/login", 200)];
    type Reply = Tokens;
    type Error = AuthError;
}

/// What a signed-in client holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// Goes into the `Authorization` header of every request (RFC 6750).
    pub access_token: Token,
    /// How the access token is shown: as a bearer token.
    pub token_type: TokenType,
    /// For how many seconds the access token holds.
    pub expires_in: u32,
    /// Buys the next pair of tokens, once.
    pub refresh_token: Token,
    /// Until when the refresh token holds.
    pub refresh_expires_at: Instant,
    /// The session that they belong to.
    pub session_id: SessionId,
    /// The account that is signed in.
    pub user: User,
}

/// The type of an access token (RFC 6749, 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TokenType {
    /// Whoever bears it may use it (RFC 6750).
    Bearer,
}

/// Turns a refresh token into new tokens. The one that was shown is spent by this. Showing a spent one again
/// ends its session, since it may be stolen; only within a few seconds, as a client does that has lost the answer,
/// the same refresh token is answered again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Refresh {
    /// The refresh token of the last answer.
    #[serde(alias = "token")]
    #[garde(dive)]
    pub refresh_token: Token,
}

impl Request for Refresh {
    const SUBJECT: &'static str = "auth.refresh";
    const ACCESS: Access = Access::PUBLIC;
    const EFFECT: Effect = Effect::Idempotent;
    const AUDIT: Audit = Audit::Refusals;
    const BUDGET: Budget = Budget::Credentials;
    const REST: &'static [Rest] = &[Rest::post("/auth/refresh-token", 200)];
    type Reply = Tokens;
    type Error = AuthError;
}

/// Ends the session of the caller's token, or all of the caller's sessions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Logout {
    /// True: ends every session of the caller, on all devices.
    #[serde(default)]
    #[garde(skip)]
    pub everywhere: bool,
}

impl Request for Logout {
    const SUBJECT: &'static str = "auth.logout";
    const ACCESS: Access = Access::SIGNED_IN;
    const EFFECT: Effect = Effect::Idempotent;
    const AUDIT: Audit = Audit::Always;
    const REST: &'static [Rest] = &[Rest::post("/auth/logout", 204)];
    type Reply = ();
    type Error = AuthError;
}

/// The account of the caller.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Me {}

impl Request for Me {
    const SUBJECT: &'static str = "auth.me";
    const ACCESS: Access = Access::SIGNED_IN;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/auth/me")];
    type Reply = User;
    type Error = AuthError;
}

/// Says whose an access token is, when it holds: signature, expiry, and that its session has not been ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct ValidateToken {
    /// The access token.
    #[serde(alias = "accessToken")]
    #[garde(dive)]
    pub token: Token,
}

impl Request for ValidateToken {
    const SUBJECT: &'static str = "auth.validate";
    const ALIASES: &'static [&'static str] = &["validateToken"];
    const ACCESS: Access = Access::SERVICE;
    const EFFECT: Effect = Effect::Read;
    type Reply = ValidatedToken;
    type Error = AuthError;
}

/// Who stands behind an access token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValidatedToken {
    /// The user.
    pub user_id: UserId,
    /// The session that the token belongs to.
    pub session_id: SessionId,
    /// The user's roles, as the token says.
    pub roles: Vec<Role>,
}

/// The caller's sessions that have not ended, newest first.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Sessions {
    /// How many at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 100))]
    pub limit: Option<u16>,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 512))]
    pub cursor: Option<String>,
}

impl Request for Sessions {
    const SUBJECT: &'static str = "auth.sessions";
    const ACCESS: Access = Access::SIGNED_IN;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/auth/sessions")];
    type Reply = Page<Session>;
    type Error = AuthError;
}

/// One place where a user is signed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The name that was given at sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Whether it is the session of the token that was used to ask.
    pub current: bool,
    /// When it started.
    pub created_at: Instant,
    /// When its tokens were last renewed.
    pub last_used_at: Instant,
    /// When it ends unless its tokens are renewed.
    pub expires_at: Instant,
}

/// Ends one of the caller's sessions. Ending one that has ended changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct RevokeSession {
    /// The session.
    #[garde(skip)]
    pub id: SessionId,
}

impl Request for RevokeSession {
    const SUBJECT: &'static str = "auth.revokeSession";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Idempotent;
    const AUDIT: Audit = Audit::Always;
    const REST: &'static [Rest] = &[Rest::delete("/auth/sessions/{id}", 204)];
    type Reply = ();
    type Error = AuthError;
}

/// The public keys that access tokens are checked with, as a JSON Web Key Set (RFC 7517).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Jwks {}

impl Request for Jwks {
    const SUBJECT: &'static str = "auth.jwks";
    const ACCESS: Access = Access::PUBLIC;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/.well-known/jwks.json").unversioned()];
    type Reply = JsonWebKeySet;
    type Error = NoError;
}

/// A JSON Web Key Set (RFC 7517).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JsonWebKeySet {
    /// Keys of which any may have signed a token that still holds.
    pub keys: Vec<JsonWebKey>,
}

/// An Ed25519 public key (RFC 8037).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JsonWebKey {
    /// Key type: `OKP`.
    pub kty: String,
    /// Curve: `Ed25519`.
    pub crv: String,
    /// The public key, base64url without padding.
    pub x: String,
    /// The id that the headers of tokens name.
    pub kid: String,
    /// What it is for: `sig`.
    #[serde(rename = "use")]
    pub usage: String,
    /// Algorithm: `EdDSA`.
    pub alg: String,
}
