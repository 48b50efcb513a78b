//! Where the caller is signed in, and signing out.

use super::Cx;
use crate::entity::session::{self, RevocationReason};
use crate::repo::sessions::{self, Which};
use crate::repo::users;
use crate::revocation;
use subjects::Page;
use subjects::auth::{AuthError, Logout, Me, RevokeSession, Session, Sessions, User};
use subjects::ids::SessionId;
use subjects::paging::DEFAULT_LIMIT;

/// `auth.me`: the caller's account.
pub async fn me(cx: Cx, _req: Me) -> Result<User, AuthError> {
    let caller = cx.caller().user()?;
    let account = users::find(cx.app.store.read(), caller.id).await?.ok_or(AuthError::UserNotFound)?;
    Ok(account.to_user())
}

/// `auth.sessions`: where the caller is signed in.
pub async fn find_all(cx: Cx, req: Sessions) -> Result<Page<Session>, AuthError> {
    let caller = cx.caller().user()?;
    let limit = req.limit.unwrap_or(DEFAULT_LIMIT);
    let before = store::cursor::decode::<SessionId>(req.cursor.as_deref())?;
    let one_more = u64::from(limit) + 1;
    let rows = sessions::list(cx.app.store.read(), caller.id, before, store::now(), one_more).await?;
    let page = store::page(rows, limit, |last| last.id);
    Ok(page.map(|row| to_session(row, caller.session)))
}

/// `auth.logout`: ends the caller's session, or all of them.
pub async fn logout(cx: Cx, req: Logout) -> Result<(), AuthError> {
    let caller = cx.caller().user()?;
    let which = if req.everywhere { Which::All } else { Which::Only(caller.session) };
    let user = caller.id;
    cx.app
        .store
        .write(&cx, |tx| async move {
            Ok(revocation::end_sessions(&tx, user, which, RevocationReason::Logout, store::now()).await?)
        })
        .await
}

/// `auth.revokeSession`: ends one of the caller's sessions.
pub async fn revoke(cx: Cx, req: RevokeSession) -> Result<(), AuthError> {
    let user = cx.caller().user()?.id;
    let id = req.id;
    cx.app
        .store
        .write(&cx, |tx| async move {
            let session = sessions::lock(&tx, id).await?.filter(|session| session.user_id == user);
            if session.is_none() {
                return Err(AuthError::SessionNotFound);
            }
            let which = Which::Only(id);
            Ok(revocation::end_sessions(&tx, user, which, RevocationReason::Revoked, store::now()).await?)
        })
        .await
}

fn to_session(row: session::Model, current: SessionId) -> Session {
    let session::Model {
        id,
        user_id: _,
        device,
        version: _,
        created_at,
        last_used_at,
        expires_at,
        revoked_at: _,
        revoked_reason: _,
    } = row;
    Session { id, device, current: id == current, created_at, last_used_at, expires_at }
}
