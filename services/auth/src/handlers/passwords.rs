//! Changing passwords.

use super::Cx;
use super::registration::check_new_password;
use crate::attempts::{Attempt, Counts, make_familiar};
use crate::domain::email;
use crate::entity::session::RevocationReason;
use crate::passwords::Turn;
use crate::repo::sessions::Which;
use crate::repo::{codes, familiar_addresses, users};
use crate::revocation;
use store::Tx;
use subjects::Fault;
use subjects::auth::{AuthError, ChangePassword, NewPassword, Password, UserPasswordChanged};
use subjects::ids::{SessionId, UserId};

/// `auth.changePassword`: another password, and an end to the user's other sessions.
pub async fn change_password(cx: Cx, req: ChangePassword) -> Result<(), AuthError> {
    let (user_id, session) = {
        let user = cx.caller().user()?;
        (user.id, user.session)
    };
    let account = users::find(cx.app.store.read(), user_id).await?.ok_or(AuthError::UserNotFound)?;
    check_new_password("/newPassword", req.new_password.expose(), &account.row.email)?;

    let attempt = Attempt::begin(&cx, Counts::Passwords, &account.row.email).await?;
    let checked_hash = account.row.password_hash;
    let turn = attempt.turn(&cx).await?;
    let current_is_right = turn.verify(req.current_password.expose(), Some(&checked_hash)).await?;
    let new_hash = turn.hash(req.new_password.expose()).await?;
    let recorded = recorded_without_passwords(&cx, &turn, &req, user_id).await?;
    drop(turn);
    let change = &Change { user_id, session, checked_hash, current_is_right, new_hash };
    let (cx, recorded) = (&cx, &recorded);
    let outcome = cx.app.store.keyed(cx, recorded, |tx| async move { set_password(cx, &tx, change).await }).await;
    match &outcome {
        // Also where the answer is one that was stored before, and the password is another by now.
        Ok(()) => attempt.succeeded(cx.app.store.read()).await?,
        Err(AuthError::WrongPassword) => {}
        Err(_) => attempt.not_made(&cx.app.store).await,
    }
    outcome
}

struct Change {
    user_id: UserId,
    session: SessionId,
    checked_hash: String,
    current_is_right: bool,
    new_hash: String,
}

async fn set_password(cx: &Cx, tx: &Tx, change: &Change) -> Result<(), AuthError> {
    let now = store::now();
    let mut account = users::lock(tx, change.user_id).await?.ok_or(AuthError::UserNotFound)?;
    // Whoever changed it since the check did so with the password that was right then.
    if !change.current_is_right || account.row.password_hash != change.checked_hash {
        return Err(AuthError::WrongPassword);
    }
    account.row.password_hash = change.new_hash.clone();
    account.row.version += 1;
    account.row.updated_at = now;
    users::save(tx, &account.row).await?;
    tx.emit(&UserPasswordChanged(account.to_state())).await?;
    let others = Which::AllBut(change.session);
    revocation::end_sessions(tx, change.user_id, others, RevocationReason::PasswordChanged, now).await?;
    // Nor does anything else go on that somebody may hold who knew the old password or reads the mail.
    let codes_asked_for = Counts::CodeRequests.account_hash(cx, &email::hash(&account.row.email))?;
    codes::erase(tx, change.user_id, &codes_asked_for).await?;
    familiar_addresses::forget(tx, change.user_id).await?;
    make_familiar(cx, tx, &account.row, now).await?;
    Ok(())
}

/// The request as its idempotency record may know it: with a slow hash in the passwords' place.
async fn recorded_without_passwords(
    cx: &Cx,
    turn: &Turn,
    req: &ChangePassword,
    user: UserId,
) -> Result<ChangePassword, Fault> {
    if cx.meta().idempotency_key.is_none() {
        return Ok(req.clone());
    }
    let both = format!("{}\n{}", req.current_password.expose(), req.new_password.expose());
    let fingerprint = turn.fingerprint(&both, &user.to_string()).await?;
    Ok(ChangePassword {
        current_password: Password::new(fingerprint.clone()),
        new_password: NewPassword::new(fingerprint),
    })
}
