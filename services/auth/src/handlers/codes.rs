//! One-time codes, and another password for whoever has shown one.

use super::Cx;
use super::registration::check_new_password;
use crate::attempts::{Attempt, Counts, make_familiar};
use crate::domain::{code, email, refresh};
use crate::entity::one_time_code::Model;
use crate::entity::session::RevocationReason;
use crate::entity::user;
use crate::repo::sessions::Which;
use crate::repo::{brakes, codes, familiar_addresses, users};
use crate::revocation;
use serde_json::json;
use store::Tx;
use subjects::Fault;
use subjects::auth::{
    AuthError, CodePurpose, CodeToSend, FindCodeToSend, RequestCode, RequestedCode, ResetPassword, Token,
    UserPasswordChanged, UserUpdated, VerifiedCode, VerifyCode,
};
use subjects::ids::{CodeId, UserId};
use subjects::time::Instant;

/// The service that sends messages to users. It does not exist yet.
const NOTIFIER: &str = "notification";

/// `auth.requestCode`. Whether there is an account shows neither in the answer nor in the time it takes: there is a row
/// either way, and [`crate::sending`] looks later whether a code is to be sent.
pub async fn request(cx: Cx, req: RequestCode) -> Result<RequestedCode, AuthError> {
    let email = &email::normalised(&req.email);
    Attempt::begin(&cx, Counts::CodeRequests, email).await?;
    let found = users::find_by_email(cx.app.store.read(), email).await?;
    let now = store::now();
    let row = Model {
        // Random throughout: nobody else is to guess it.
        id: CodeId(uuid::Uuid::new_v4()),
        account: Counts::CodeRequests.account_hash(&cx, &email::hash(email))?,
        purpose: req.purpose,
        user_id: found.filter(|user| is_for(user, req.purpose)).map(|user| user.id),
        nonce: code::random_nonce().to_vec(),
        tries: 0,
        created_at: now,
        expires_at: now + code::LIFETIME,
        told_at: None,
        spent_at: None,
        reset_token_hash: None,
        reset_expires_at: None,
    };
    cx.note(|| json!({ "purpose": row.purpose }));
    if let Some(user_id) = row.user_id {
        cx.concerns(user_id);
    }
    let (cx, row) = (&cx, &row);
    cx.app.store.write(cx, |tx| async move { Ok::<_, AuthError>(codes::replace(&tx, row).await?) }).await?;
    cx.app.code_requested.notify_one();
    Ok(RequestedCode { code_id: row.id, expires_at: row.expires_at })
}

/// Whether a code of this purpose is of any use to a user.
fn is_for(user: &user::Model, purpose: CodePurpose) -> bool {
    let is_missing = match purpose {
        CodePurpose::PasswordReset => true,
        CodePurpose::EmailVerification => user.email_verified_at.is_none(),
    };
    is_missing && user.status.can_sign_in()
}

/// `auth.verifyCode`. A try is counted before anybody looks whether the code is right, so that tries at the same time are
/// no more than five either.
pub async fn verify(cx: Cx, req: VerifyCode) -> Result<VerifiedCode, AuthError> {
    let attempt = &Attempt::begin_from_address(&cx, Counts::Passwords).await?;
    let row = codes::try_once(cx.app.store.read(), req.code_id, store::now()).await?;
    let row = row.ok_or(AuthError::InvalidCode)?;
    cx.note(|| json!({ "purpose": row.purpose }));
    if let Some(user_id) = row.user_id {
        cx.concerns(user_id);
    }
    let right = code::code(&cx.app.keyed_hash, row.id, &row.nonce)?;
    let is_right = code::is_right(&cx.app.keyed_hash, &req.code, &right)?;
    // A code that nobody was to get is right for nobody.
    let user_id = row.user_id.filter(|_| is_right).ok_or(AuthError::InvalidCode)?;
    let row = &row;
    cx.app.store.write(&cx, |tx| async move { accept(&tx, attempt, row, user_id).await }).await
}

async fn accept(tx: &Tx, attempt: &Attempt, row: &Model, user_id: UserId) -> Result<VerifiedCode, AuthError> {
    let now = store::now();
    let mut account = users::lock(tx, user_id).await?.ok_or(AuthError::InvalidCode)?;
    if !account.row.status.can_sign_in() {
        return Err(AuthError::InvalidCode);
    }
    let reset: Option<(Token, Instant)> = match row.purpose {
        CodePurpose::PasswordReset => Some((refresh::first_token(), now + code::RESET_LIFETIME)),
        CodePurpose::EmailVerification => None,
    };
    let told = reset.as_ref().map(|(token, expires_at)| (token, *expires_at));
    if codes::spend(tx, row.id, now, told).await?.is_none() {
        return Err(AuthError::InvalidCode);
    }
    if row.purpose == CodePurpose::EmailVerification && account.row.email_verified_at.is_none() {
        account.row.email_verified_at = Some(now);
        account.row.version += 1;
        account.row.updated_at = now;
        users::save(tx, &account.row).await?;
        tx.emit(&UserUpdated(account.to_state())).await?;
    }
    // Whoever has got one code may have the next one at once.
    brakes::lift(tx, &row.account).await?;
    attempt.succeeded(tx).await?;
    let (reset_token, reset_expires_at) = reset.unzip();
    Ok(VerifiedCode { purpose: row.purpose, reset_token, reset_expires_at })
}

/// `auth.resetPassword`. Nothing is hashed for a token that does not hold.
pub async fn reset_password(cx: Cx, req: ResetPassword) -> Result<(), AuthError> {
    let user_id = user_of(&cx, &req.reset_token).await?.ok_or(AuthError::InvalidResetToken)?;
    cx.concerns(user_id);
    let account = users::find(cx.app.store.read(), user_id).await?.ok_or(AuthError::InvalidResetToken)?;
    check_new_password("/newPassword", req.new_password.expose(), &account.row.email)?;

    let new_hash = &cx.app.passwords.hash(req.new_password.expose()).await?;
    let (cx, token) = (&cx, &req.reset_token);
    cx.app.store.write(cx, |tx| async move { set_password(cx, &tx, user_id, token, new_hash).await }).await
}

async fn user_of(cx: &Cx, reset_token: &Token) -> Result<Option<UserId>, Fault> {
    let row = codes::find_by_reset_token(cx.app.store.read(), reset_token, store::now()).await?;
    Ok(row.and_then(|row| row.user_id))
}

async fn set_password(cx: &Cx, tx: &Tx, user_id: UserId, reset_token: &Token, new_hash: &str) -> Result<(), AuthError> {
    let now = store::now();
    let mut account = users::lock(tx, user_id).await?.ok_or(AuthError::InvalidResetToken)?;
    if !account.row.status.can_sign_in() || !codes::use_up(tx, reset_token, now).await? {
        return Err(AuthError::InvalidResetToken);
    }
    account.row.password_hash = new_hash.to_owned();
    account.row.version += 1;
    account.row.updated_at = now;
    users::save(tx, &account.row).await?;
    tx.emit(&UserPasswordChanged(account.to_state())).await?;
    revocation::end_sessions(tx, user_id, Which::All, RevocationReason::PasswordChanged, now).await?;
    // Whoever knew the old password may be known at addresses of their own. The user is known where they are now, and gets
    // in from there whatever others go on trying.
    familiar_addresses::forget(tx, user_id).await?;
    make_familiar(cx, tx, &account.row, now).await?;
    brakes::lift(tx, &Counts::Passwords.account_hash(cx, &email::hash(&account.row.email))?).await?;
    Ok(())
}

/// `auth.codeToSend`.
pub async fn to_send(cx: Cx, req: FindCodeToSend) -> Result<CodeToSend, AuthError> {
    if cx.caller().trusted_service() != Some(NOTIFIER) {
        return Err(Fault::forbidden().into());
    }
    let row = codes::find(cx.app.store.read(), req.code_id).await?;
    let row = row.filter(|row| row.spent_at.is_none() && row.tries < code::MAX_TRIES && row.expires_at > store::now());
    let (row, user_id) = row.and_then(|row| row.user_id.map(|id| (row, id))).ok_or(AuthError::CodeNotFound)?;
    let account = users::find(cx.app.store.read(), user_id).await?.ok_or(AuthError::CodeNotFound)?;
    Ok(CodeToSend {
        email: account.row.email,
        first_name: account.row.first_name,
        purpose: row.purpose,
        code: code::code(&cx.app.keyed_hash, row.id, &row.nonce)?,
        expires_at: row.expires_at,
    })
}
