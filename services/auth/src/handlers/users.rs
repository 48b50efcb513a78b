//! Users, for themselves, for those who run the platform, and for other services.

use super::Cx;
use crate::clock;
use crate::domain::{email, users as rules};
use crate::entity::session::RevocationReason;
use crate::repo::sessions::Which;
use crate::repo::users::{self, Filter};
use crate::revocation;
use store::Tx;
use subjects::Page;
use subjects::auth::{AuthError, FindUser, FindUsers, UpdateUser, User, UserStatus, UserUpdated};
use subjects::ids::UserId;
use subjects::paging::DEFAULT_LIMIT;

/// `user.findOne`.
pub async fn find_one(cx: Cx, req: FindUser) -> Result<User, AuthError> {
    rules::check_reaches(cx.caller(), req.id)?;
    let account = users::find(cx.app.store.read(), req.id).await?.ok_or(AuthError::UserNotFound)?;
    Ok(account.to_user())
}

/// `user.findAll`.
pub async fn find_all(cx: Cx, req: FindUsers) -> Result<Page<User>, AuthError> {
    let FindUsers { status, role, email, limit, cursor } = req;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let filter = Filter {
        status,
        role,
        email: email.as_deref().map(email::normalised),
        before: store::cursor::decode::<UserId>(cursor.as_deref())?,
    };
    let accounts = users::list(cx.app.store.read(), &filter, u64::from(limit) + 1).await?;
    let page = store::page(accounts, limit, |last| last.row.id);
    Ok(page.map(|account| account.to_user()))
}

/// `user.update`.
pub async fn update(cx: Cx, req: UpdateUser) -> Result<User, AuthError> {
    rules::check_reaches(cx.caller(), req.id)?;
    if req.status.is_some() {
        rules::check_may_set_status(cx.caller())?;
    }
    let expected = cx.expected_version()?;
    let req = &req;
    cx.app.store.write(&cx, |tx| async move { change(&tx, req, expected).await }).await
}

async fn change(tx: &Tx, req: &UpdateUser, expected_version: i64) -> Result<User, AuthError> {
    let now = clock::now();
    let mut account = users::lock(tx, req.id).await?.ok_or(AuthError::UserNotFound)?;
    if account.row.status == UserStatus::Pending {
        return Err(AuthError::UserNotFound);
    }
    store::expect_version(expected_version, account.row.version)?;

    let UpdateUser { id, first_name, last_name, phone_number, status } = req.clone();
    let before = account.row.clone();
    account.row.first_name = first_name.unwrap_or(account.row.first_name);
    account.row.last_name = last_name.unwrap_or(account.row.last_name);
    account.row.phone_number = phone_number.unwrap_or(account.row.phone_number);
    account.row.status = status.unwrap_or(account.row.status);
    if account.row == before {
        return Ok(account.to_user());
    }
    account.row.version += 1;
    account.row.updated_at = now;
    users::save(tx, &account.row).await?;
    tx.emit(&UserUpdated(account.to_state())).await?;
    if rules::status_ends_sessions(before.status, account.row.status) {
        revocation::end_sessions(tx, id, Which::All, RevocationReason::AccountClosed, now).await?;
    }
    Ok(account.to_user())
}
