//! What tokens are made of, checked against, and verified with.

use super::Cx;
use crate::AuthApp;
use crate::account::Account;
use crate::repo::sessions;
use identity::tokens::ACCESS_TOKEN_LIFETIME;
use subjects::auth::{AuthError, JsonWebKeySet, Jwks, Token, TokenType, Tokens, ValidateToken, ValidatedToken};
use subjects::ids::SessionId;
use subjects::time::Instant;
use subjects::{Fault, NoError};

/// `auth.validate`: whose an access token is, if it holds and its session has not ended.
pub async fn validate(cx: Cx, req: ValidateToken) -> Result<ValidatedToken, AuthError> {
    let user = cx.app.verifier.verify_access(req.token.expose()).map_err(|_| AuthError::InvalidToken)?;
    let session = sessions::find(cx.app.store.read(), user.session).await?;
    let holds = session.is_some_and(|session| {
        session.user_id == user.id && session.revoked_at.is_none() && session.expires_at > store::now()
    });
    if !holds {
        return Err(AuthError::InvalidToken);
    }
    Ok(ValidatedToken { user_id: user.id, session_id: user.session, roles: user.roles })
}

/// `auth.jwks`: the public keys of access tokens, also of one that will sign soon.
pub async fn jwks(cx: Cx, _req: Jwks) -> Result<JsonWebKeySet, NoError> {
    let keys = identity::jwks(&cx.app.keys.registry());
    Ok(serde_json::from_value(keys).map_err(Fault::internal)?)
}

/// A refresh token that has just been stored.
pub(super) struct Issued {
    pub session: SessionId,
    pub refresh_token: Token,
    pub refresh_expires_at: Instant,
}

/// What a client gets that signs in or renews its tokens: the access token is made here and kept nowhere.
pub(super) fn answer(app: &AuthApp, account: &Account, issued: Issued, now: Instant) -> Tokens {
    let caller = identity::User { id: account.row.id, session: issued.session, roles: account.roles.clone() };
    Tokens {
        access_token: Token::new(app.access_tokens.issue(&caller, now)),
        token_type: TokenType::Bearer,
        expires_in: u32::try_from(ACCESS_TOKEN_LIFETIME.num_seconds()).unwrap_or(u32::MAX),
        refresh_token: issued.refresh_token,
        refresh_expires_at: issued.refresh_expires_at,
        session_id: issued.session,
        user: account.to_user(),
    }
}
