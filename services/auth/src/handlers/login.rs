//! Signing in.

use super::Cx;
use super::tokens::{self, Issued};
use crate::attempts::{Attempt, Counts, make_familiar};
use crate::domain::{email, refresh};
use crate::entity::login_attempt::LoginOutcome;
use crate::entity::session::{self, RevocationReason};
use crate::repo::sessions::Which;
use crate::repo::{login_attempts, refresh_tokens, sessions, users};
use crate::revocation;
use serde_json::json;
use store::Tx;
use subjects::auth::{AuthError, Login, StartedSession, Tokens, UserLoggedIn, UserStatus};
use subjects::ids::{SessionId, UserId};

/// `auth.login`. Whether there is an account shows neither in the answer nor in the time it takes, nor does it while there
/// is a wait after too many attempts: then nothing is looked up and nothing hashed.
pub async fn login(cx: Cx, req: Login) -> Result<Tokens, AuthError> {
    let email = &email::normalised(&req.email);
    let attempt = &Attempt::begin(&cx, Counts::Passwords, email).await?;
    let found = users::find_by_email(cx.app.store.read(), email).await?;
    // A pending account is none yet.
    let found = found.filter(|user| user.status != UserStatus::Pending);
    if let Some(user) = &found {
        cx.concerns(user.id);
    }
    let stored_hash = found.as_ref().map(|user| user.password_hash.as_str());
    let turn = attempt.turn(&cx).await?;
    let matches = turn.verify(req.password.expose(), stored_hash).await?;
    drop(turn);

    let (user_id, checked_hash) = match found {
        Some(user) if matches && user.status.can_sign_in() => (user.id, user.password_hash),
        Some(user) if matches => {
            record(&cx, email, Some(user.id), LoginOutcome::NotActive).await?;
            return Err(AuthError::AccountNotActive);
        }
        Some(user) => {
            record(&cx, email, Some(user.id), LoginOutcome::WrongPassword).await?;
            return Err(AuthError::InvalidCredentials);
        }
        None => {
            record(&cx, email, None, LoginOutcome::UnknownAccount).await?;
            return Err(AuthError::InvalidCredentials);
        }
    };

    let device = req.device.as_deref();
    let checked = &Checked { cx: &cx, attempt, email, user_id, checked_hash: &checked_hash, device };
    cx.app.store.write(&cx, |tx| async move { start_session(&tx, checked).await }).await
}

/// How many sessions a user can have; with one more the oldest ends. All of them can be ended at once then, whoever made
/// them.
const MOST_SESSIONS: u64 = 100;

/// A sign-in whose password was right.
struct Checked<'a> {
    cx: &'a Cx,
    attempt: &'a Attempt,
    email: &'a str,
    user_id: UserId,
    checked_hash: &'a str,
    device: Option<&'a str>,
}

async fn start_session(tx: &Tx, checked: &Checked<'_>) -> Result<Tokens, AuthError> {
    let now = store::now();
    // The password was checked a moment ago. Held from here on, it cannot become another without ending this session.
    let account = users::hold(tx, checked.user_id).await?.ok_or(AuthError::InvalidCredentials)?;
    if account.row.password_hash != checked.checked_hash || !account.row.status.can_sign_in() {
        return Err(AuthError::InvalidCredentials);
    }
    let expires_at = now + checked.cx.app.settings.refresh_token_lifetime();
    let session = session::Model {
        id: SessionId::new(),
        user_id: account.row.id,
        device: checked.device.map(str::to_owned),
        version: 1,
        created_at: now,
        last_used_at: now,
        expires_at,
        revoked_at: None,
        revoked_reason: None,
    };
    let refresh_token = refresh::first_token();
    checked.cx.note(|| json!({ "sessionId": session.id }));
    sessions::insert(tx, &session).await?;
    refresh_tokens::insert(tx, session.id, &refresh_token, now, expires_at).await?;
    login_attempts::insert(tx, checked.email, Some(account.row.id), LoginOutcome::Succeeded, now).await?;
    let started = StartedSession {
        session_id: session.id,
        user_id: session.user_id,
        version: session.version,
        created_at: now,
        expires_at,
    };
    tx.emit(&UserLoggedIn(started)).await?;
    let newest = Which::AllButNewest(MOST_SESSIONS);
    revocation::end_sessions(tx, account.row.id, newest, RevocationReason::Revoked, now).await?;
    // Last: the row of the address is one for all who sign in from there.
    make_familiar(checked.cx, tx, &account.row, now).await?;
    checked.attempt.succeeded(tx).await?;
    let issued = Issued { session: session.id, refresh_token, refresh_expires_at: expires_at };
    Ok(tokens::answer(&checked.cx.app, &account, issued, now))
}

async fn record(cx: &Cx, email: &str, user: Option<UserId>, outcome: LoginOutcome) -> Result<(), AuthError> {
    let now = store::now();
    cx.app
        .store
        .write_aside(cx, |tx| async move { Ok(login_attempts::insert(&tx, email, user, outcome, now).await?) })
        .await
}
