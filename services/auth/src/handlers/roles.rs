//! Roles.

use super::Cx;
use crate::domain::users as rules;
use crate::entity::session::RevocationReason;
use crate::repo::sessions::Which;
use crate::repo::{roles, users};
use crate::revocation;
use store::Tx;
use subjects::auth::{AssignRoles, AuthError, FindRoles, RoleDetails, User, UserStatus, UserUpdated};
use subjects::{Page, Role};

/// `role.findAll`.
pub async fn find_all(cx: Cx, _req: FindRoles) -> Result<Page<RoleDetails>, AuthError> {
    let rows = roles::list(cx.app.store.read()).await?;
    let items = rows
        .into_iter()
        .filter_map(|(row, permissions)| {
            let name = Role::parse(&row.name)?;
            Some(RoleDetails { name, description: row.description, permissions })
        })
        .collect();
    Ok(Page { items, next_cursor: None })
}

/// `role.assign`.
pub async fn assign(cx: Cx, req: AssignRoles) -> Result<User, AuthError> {
    let expected = cx.expected_version()?;
    let mut wanted = req.roles.clone();
    wanted.sort_unstable();
    wanted.dedup();
    let (id, wanted) = (req.id, &wanted);
    cx.app.store.keyed(&cx, &req, |tx| async move { change(&tx, id, wanted, expected).await }).await
}

async fn change(tx: &Tx, id: subjects::ids::UserId, wanted: &[Role], expected_version: i64) -> Result<User, AuthError> {
    let now = store::now();
    let mut account = users::lock(tx, id).await?.ok_or(AuthError::UserNotFound)?;
    if account.row.status == UserStatus::Pending {
        return Err(AuthError::UserNotFound);
    }
    store::expect_version(expected_version, account.row.version)?;
    if account.roles == wanted {
        return Ok(account.to_user());
    }
    let before = std::mem::replace(&mut account.roles, wanted.to_vec());
    account.row.version += 1;
    account.row.updated_at = now;
    roles::replace(tx, id, wanted).await?;
    users::save(tx, &account.row).await?;
    tx.emit(&UserUpdated(account.to_state())).await?;
    if rules::roles_end_sessions(&before, wanted) {
        revocation::end_sessions(tx, id, Which::All, RevocationReason::RoleRemoved, now).await?;
    }
    Ok(account.to_user())
}
