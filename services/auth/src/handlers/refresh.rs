//! Renewing tokens.

use super::Cx;
use super::tokens::{self, Issued};
use crate::domain::refresh::{self, Decision, Shown};
use crate::entity::session::RevocationReason;
use crate::repo::sessions::Which;
use crate::repo::{refresh_tokens, sessions, users};
use crate::revocation;
use store::Tx;
use subjects::auth::{AuthError, Refresh, Tokens};
use subjects::{Fault, ServiceError as _};

/// `auth.refresh`: a refresh token buys the next pair of tokens.
pub async fn refresh(cx: Cx, req: Refresh) -> Result<Tokens, AuthError> {
    let (cx, req) = (&cx, &req);
    // A refusal may have to be committed: it ends the session. So it is a value here and an error only outside.
    let decided: Result<Tokens, AuthError> =
        cx.app.store.write(cx, |tx| async move { renew(cx, &tx, req).await }).await?;
    decided
}

async fn renew(cx: &Cx, tx: &Tx, req: &Refresh) -> Result<Result<Tokens, AuthError>, Fault> {
    let now = store::now();
    let shown = &req.refresh_token;
    let refused = Ok(Err(AuthError::InvalidRefreshToken));

    let Some(known) = refresh_tokens::find(tx, shown).await? else { return refused };
    let Some(session) = sessions::lock(tx, known.session_id).await? else { return refused };
    cx.concerns(session.user_id);
    // Read again now that nobody else can spend a token of this session.
    let Some(token) = refresh_tokens::find(tx, shown).await? else { return refused };
    let Some(account) = users::find(tx, session.user_id).await? else { return refused };
    if !account.row.status.can_sign_in() {
        return refused;
    }

    let successor = match &token.successor_nonce {
        Some(nonce) => {
            let successor = refresh::successor(shown, nonce)?;
            refresh_tokens::find(tx, &successor).await?.map(|row| (successor, row))
        }
        None => None,
    };
    let decision = refresh::decide(
        &Shown {
            expires_at: token.expires_at,
            spent_at: token.spent_at,
            successor_is_unspent: successor.as_ref().is_some_and(|(_, row)| row.spent_at.is_none()),
            session_revoked: session.revoked_at.is_some(),
        },
        now,
        cx.app.settings.refresh_grace(),
    );
    match (decision, successor) {
        (Decision::Rotate, _) => {
            let nonce = refresh::random_bytes();
            let refresh_token = refresh::successor(shown, &nonce)?;
            let refresh_expires_at = now + cx.app.settings.refresh_token_lifetime();
            refresh_tokens::spend(tx, token.id, now, &nonce).await?;
            refresh_tokens::insert(tx, session.id, &refresh_token, now, refresh_expires_at).await?;
            sessions::touch(tx, session.id, now, refresh_expires_at).await?;
            let issued = Issued { session: session.id, refresh_token, refresh_expires_at };
            Ok(Ok(tokens::answer(&cx.app, &account, issued, now)))
        }
        (Decision::Replay, Some((refresh_token, row))) => {
            let issued = Issued { session: session.id, refresh_token, refresh_expires_at: row.expires_at };
            Ok(Ok(tokens::answer(&cx.app, &account, issued, now)))
        }
        (Decision::EndSession, _) => {
            tracing::warn!(session.id = %session.id, user.id = %session.user_id, "a spent refresh token was shown again");
            let which = Which::Only(session.id);
            revocation::end_sessions(tx, session.user_id, which, RevocationReason::TokenReused, now).await?;
            tx.audit_refusal(cx, &AuthError::RefreshTokenReused.into_fault());
            Ok(Err(AuthError::RefreshTokenReused))
        }
        (Decision::Refuse | Decision::Replay, _) => refused,
    }
}
