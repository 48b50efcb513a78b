//! Users, for themselves, for those who run the platform, and for other services.

use super::{Cx, role_assignment};
use crate::domain::{email, users as rules};
use crate::entity::session::RevocationReason;
use crate::repo::roles;
use crate::repo::sessions::Which;
use crate::repo::users::{self, Filter, Place};
use crate::revocation;
use serde_json::json;
use store::Tx;
use subjects::auth::{AuthError, FindUser, FindUsers, UpdateUser, User, UserSort, UserStatus, UserUpdated};
use subjects::paging::DEFAULT_LIMIT;
use subjects::{Fault, Page, Role, Violation};

/// `user.findOne`.
pub async fn find_one(cx: Cx, req: FindUser) -> Result<User, AuthError> {
    rules::check_reaches(cx.caller(), req.id)?;
    let account = users::find(cx.app.store.read(), req.id).await?.ok_or(AuthError::UserNotFound)?;
    Ok(account.to_user())
}

/// `user.findAll`.
pub async fn find_all(cx: Cx, req: FindUsers) -> Result<Page<User>, AuthError> {
    let FindUsers { status, role, email, sort, limit, cursor } = req;
    let limit = limit.unwrap_or(DEFAULT_LIMIT);
    let filter = Filter { status, role, email: email.as_deref().map(email::normalised) };
    let sort = sort.unwrap_or(UserSort::CreatedAtDescending);
    let after = place_in(sort, cursor.as_deref())?;
    let accounts = users::list(cx.app.store.read(), &filter, sort, after, u64::from(limit) + 1).await?;
    let page = store::page(accounts, limit, |last| (sort, Place { created_at: last.row.created_at, id: last.row.id }));
    Ok(page.map(|account| account.to_user()))
}

/// Where a list in this order goes on: a cursor serves the order that it was made for alone.
fn place_in(sort: UserSort, cursor: Option<&str>) -> Result<Option<Place>, Fault> {
    let place: Option<(UserSort, Place)> = store::cursor::decode(cursor)?;
    match place {
        Some((made_for, _)) if made_for != sort => {
            Err(Fault::invalid(vec![Violation::new("/cursor", "belongs to a list in another order")]))
        }
        _ => Ok(place.map(|(_, place)| place)),
    }
}

/// `user.update`.
pub async fn update(cx: Cx, req: UpdateUser) -> Result<User, AuthError> {
    let expected = cx.expected_version()?;
    let (cx, req) = (&cx, &req);
    cx.app.store.keyed(cx, req, |tx| async move { change(&tx, cx, req, expected).await }).await
}

async fn change(tx: &Tx, cx: &Cx, req: &UpdateUser, expected_version: i64) -> Result<User, AuthError> {
    let caller = cx.caller();
    rules::check_reaches(caller, req.id)?;
    if req.status.is_some() {
        rules::check_may_set_status(caller)?;
    }
    let now = store::now();
    let locks_out = req.status.is_some_and(|status| !status.can_sign_in());
    if req.status.is_some() {
        roles::lock_all(tx).await?;
    }
    let mut account = users::lock(tx, req.id).await?.ok_or(AuthError::UserNotFound)?;
    if account.row.status == UserStatus::Pending {
        return Err(AuthError::UserNotFound);
    }
    store::expect_version(expected_version, account.row.version)?;
    if req.status.is_some() && caller.trusted_service().is_none() {
        role_assignment::check_stands_above(tx, caller, &account.roles).await?;
    }

    if let Some(status) = req.status {
        cx.note(|| json!({ "before": account.row.status, "after": status }));
    }

    let is_needed = locks_out && account.roles.contains(&Role::PlatformAdmin);
    if is_needed && !roles::others_run_platform(tx, req.id).await? {
        return Err(AuthError::LastPlatformAdmin);
    }

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
