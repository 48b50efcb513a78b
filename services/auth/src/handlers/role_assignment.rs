//! Who has which role.

use super::{Cx, roles as role_handlers};
use crate::domain::{roles as role_rules, users as rules};
use crate::entity::session::RevocationReason;
use crate::repo::sessions::Which;
use crate::repo::{roles, users};
use crate::revocation;
use identity::Caller;
use serde_json::json;
use store::Tx;
use subjects::auth::{AssignRoles, AuthError, UpdateUser, User, UserStatus, UserUpdated};
use subjects::{Fault, Request as _, Role, Violation};

/// `role.assign`.
pub async fn assign(cx: Cx, req: AssignRoles) -> Result<User, AuthError> {
    let expected = cx.expected_version()?;
    let (cx, req) = (&cx, &req);
    cx.app.store.keyed(cx, req, |tx| async move { change(&tx, cx, req, expected).await }).await
}

async fn change(tx: &Tx, cx: &Cx, req: &AssignRoles, expected_version: i64) -> Result<User, AuthError> {
    let id = req.id;
    let mut wanted = req.roles.clone();
    wanted.sort_unstable();
    wanted.dedup();
    let now = store::now();
    roles::lock_all(tx).await?;
    let mut account = users::lock(tx, id).await?.ok_or(AuthError::UserNotFound)?;
    if account.row.status == UserStatus::Pending {
        return Err(AuthError::UserNotFound);
    }
    store::expect_version(expected_version, account.row.version)?;
    if account.roles == wanted {
        return Ok(account.to_user());
    }
    cx.note(|| json!({ "before": account.roles, "after": wanted }));
    check_may_change(tx, cx.caller(), req, &account.roles, &wanted).await?;
    let runs_platform = |roles: &[Role]| roles.contains(&Role::PlatformAdmin);
    let would_leave = runs_platform(&account.roles) && !runs_platform(&wanted);
    if would_leave && !roles::others_run_platform(tx, id).await? {
        return Err(AuthError::LastPlatformAdmin);
    }
    let before = std::mem::replace(&mut account.roles, wanted);
    account.row.version += 1;
    account.row.updated_at = now;
    roles::replace(tx, id, &account.roles).await?;
    users::save(tx, &account.row).await?;
    tx.emit(&UserUpdated(account.to_state())).await?;
    if rules::roles_end_sessions(&before, &account.roles) {
        revocation::end_sessions(tx, id, Which::All, RevocationReason::RoleRemoved, now).await?;
    }
    Ok(account.to_user())
}

/// Nobody locks an account, or unlocks one, that may do what they may not.
pub(super) async fn check_stands_above(tx: &Tx, caller: &Caller, roles_of_other: &[Role]) -> Result<(), AuthError> {
    let own = role_handlers::own(tx, caller).await?;
    if !own.has(UpdateUser::SUBJECT) {
        return Err(Fault::forbidden().into());
    }
    let allowed = roles::named(tx, roles_of_other).await?;
    let allowed_by = |role: Role| allowed.get(&role).cloned().unwrap_or_default();
    let beyond = role_rules::roles_beyond_own(&own, roles_of_other, &[], allowed_by);
    if beyond.is_empty() { Ok(()) } else { Err(AuthError::BeyondOwnPermissions(beyond)) }
}

/// Every role that is named is there, and none that is given or taken goes beyond what the caller may do.
async fn check_may_change(
    tx: &Tx,
    caller: &Caller,
    req: &AssignRoles,
    before: &[Role],
    wanted: &[Role],
) -> Result<(), AuthError> {
    let concerned: Vec<Role> = before.iter().chain(wanted).copied().collect();
    let allowed = roles::named(tx, &concerned).await?;
    let unknown = req.roles.iter().enumerate().filter(|(_, role)| !allowed.contains_key(role));
    let unknown: Vec<Violation> = unknown
        .map(|(index, role)| Violation::new(format!("/roles/{index}"), format!("there is no role {}", role.as_str())))
        .collect();
    if !unknown.is_empty() {
        return Err(Fault::invalid(unknown).into());
    }
    let own = role_handlers::own(tx, caller).await?;
    let allowed_by = |role: Role| allowed.get(&role).cloned().unwrap_or_default();
    let beyond = role_rules::roles_beyond_own(&own, before, wanted, allowed_by);
    if beyond.is_empty() { Ok(()) } else { Err(AuthError::BeyondOwnPermissions(beyond)) }
}
