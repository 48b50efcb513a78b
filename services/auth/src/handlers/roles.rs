//! Roles and permissions.

use super::Cx;
use crate::domain::roles::{self as rules, MOST_ROLES, Own, Permissions};
use crate::entity::role;
use crate::repo::roles::{self, RoleRow};
use crate::repo::sessions;
use identity::Caller;
use platform::refusals::SESSION_REVOKED;
use sea_orm::ConnectionTrait;
use serde_json::json;
use store::Tx;
use store::projection::{snapshot_page, snapshot_rows};
use subjects::auth::{
    AuthError, CreateRole, FindPermissions, FindRole, FindRoles, PermissionDetails, RemoveRole, RoleDetails,
    RoleRemoved, RoleSnapshot, RoleState, RoleUpdated, UpdateRole,
};
use subjects::ids::RoleId;
use subjects::snapshot::{SnapshotItem, SnapshotPage};
use subjects::{Fault, NoError, Page, Role, permissions};

/// `role.findAll`.
pub async fn find_all(cx: Cx, _req: FindRoles) -> Result<Page<RoleDetails>, AuthError> {
    let rows = roles::list(cx.app.store.read()).await?;
    Ok(Page { items: rows.into_iter().filter_map(details).collect(), next_cursor: None })
}

/// `role.findOne`.
pub async fn find_one(cx: Cx, req: FindRole) -> Result<RoleDetails, AuthError> {
    let row = roles::find(cx.app.store.read(), req.id).await?;
    row.and_then(details).ok_or(AuthError::RoleNotFound)
}

/// `permission.findAll`.
pub async fn permissions(_cx: Cx, _req: FindPermissions) -> Result<Page<PermissionDetails>, AuthError> {
    let items = permissions::all().map(|permission| PermissionDetails {
        name: permission.name.to_owned(),
        description: permission.description.clone(),
        extends: permission.extends,
    });
    Ok(Page { items: items.collect(), next_cursor: None })
}

/// `role.create`.
pub async fn create(cx: Cx, req: CreateRole) -> Result<RoleDetails, AuthError> {
    let (cx, req) = (&cx, &req);
    cx.app.store.keyed(cx, req, |tx| async move { make(&tx, cx, req).await }).await
}

async fn make(tx: &Tx, cx: &Cx, req: &CreateRole) -> Result<RoleDetails, AuthError> {
    let allowed = known(&req.permissions)?;
    note(cx, &req.name, &Permissions::new(), &allowed);
    roles::lock_all(tx).await?;
    check_own(tx, cx.caller(), &Permissions::new(), &allowed).await?;
    // Older names of what is built in are taken, too.
    let name = Role::parse(&req.name).and_then(|role| role.made()).ok_or(AuthError::RoleNameTaken)?;
    if roles::count(tx).await? >= MOST_ROLES {
        return Err(AuthError::TooManyRoles);
    }
    let now = store::now();
    let row = role::Model {
        name: name.as_str().to_owned(),
        id: RoleId::new(),
        description: req.description.clone(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    cx.concerns(row.id);
    roles::insert(tx, &row, &allowed).await?;
    tell(tx, row, allowed).await
}

/// `role.update`.
pub async fn update(cx: Cx, req: UpdateRole) -> Result<RoleDetails, AuthError> {
    let expected = cx.expected_version()?;
    let (cx, req) = (&cx, &req);
    cx.app.store.keyed(cx, req, |tx| async move { change(&tx, cx, req, expected).await }).await
}

async fn change(tx: &Tx, cx: &Cx, req: &UpdateRole, expected_version: i64) -> Result<RoleDetails, AuthError> {
    let allowed = known(&req.permissions)?;
    roles::lock_all(tx).await?;
    let (mut row, before) = changeable(tx, req.id).await?;
    note(cx, &row.name, &before, &allowed);
    store::expect_version(expected_version, row.version)?;
    check_own(tx, cx.caller(), &before, &allowed).await?;
    if row.description == req.description && before == allowed {
        return details((row, before)).ok_or(AuthError::RoleNotFound);
    }
    row.description.clone_from(&req.description);
    row.version += 1;
    row.updated_at = store::now();
    roles::save(tx, &row, &allowed).await?;
    tell(tx, row, allowed).await
}

/// `role.remove`.
pub async fn remove(cx: Cx, req: RemoveRole) -> Result<(), AuthError> {
    let (cx, req) = (&cx, &req);
    cx.app.store.keyed(cx, req, |tx| async move { take_away(&tx, cx, req.id).await }).await
}

async fn take_away(tx: &Tx, cx: &Cx, id: RoleId) -> Result<(), AuthError> {
    roles::lock_all(tx).await?;
    let (mut row, allowed) = changeable(tx, id).await?;
    store::expect_version_if_given(cx.meta().if_match, row.version)?;
    note(cx, &row.name, &allowed, &Permissions::new());
    check_own(tx, cx.caller(), &allowed, &Permissions::new()).await?;
    roles::remove(tx, &row.name).await?;
    row.version += 1;
    row.updated_at = store::now();
    Ok(tx.emit(&RoleRemoved(state(&row, &allowed))).await?)
}

/// A page of roles, for those who keep what they allow.
pub async fn snapshot(cx: Cx, request: RoleSnapshot) -> Result<SnapshotPage<RoleState>, NoError> {
    let RoleSnapshot { after, limit } = request;
    let db = cx.app.store.read();
    let rows = snapshot_rows::<role::Entity>(db, role::Column::Id, after, limit).await?;
    let rows = roles::with_permissions(db, rows).await?;
    let item = |(row, allowed): RoleRow| Ok(SnapshotItem { state: state(&row, &allowed), removed: false });
    Ok(snapshot_page::<RoleSnapshot, _>(rows, limit, item)?)
}

/// A role that is not built in.
async fn changeable(tx: &Tx, id: RoleId) -> Result<RoleRow, AuthError> {
    let found = roles::find(tx, id).await?.ok_or(AuthError::RoleNotFound)?;
    let is_built_in = Role::parse(&found.0.name).is_none_or(|role| role.is_built_in());
    if is_built_in { Err(AuthError::RoleBuiltIn) } else { Ok(found) }
}

fn known(named: &[String]) -> Result<Permissions, AuthError> {
    let unknown = rules::unknown_permissions(named);
    if unknown.is_empty() { Ok(named.iter().cloned().collect()) } else { Err(Fault::invalid(unknown).into()) }
}

/// Tells the audit log what a change gives and takes.
fn note(cx: &Cx, name: &str, before: &Permissions, after: &Permissions) {
    let given: Vec<&String> = after.difference(before).collect();
    let taken: Vec<&String> = before.difference(after).collect();
    cx.note(|| json!({ "role": name, "given": given, "taken": taken }));
}

async fn check_own(tx: &Tx, caller: &Caller, before: &Permissions, after: &Permissions) -> Result<(), AuthError> {
    let beyond = rules::beyond_own(&own(tx, caller).await?, before, after);
    if beyond.is_empty() { Ok(()) } else { Err(AuthError::BeyondOwnPermissions(beyond)) }
}

/// What the caller may do by permission, now. What the token says may have been taken a moment ago, with nobody but the
/// database knowing yet: to be asked where [`roles::lock_all`] is held.
pub(super) async fn own(db: &impl ConnectionTrait, caller: &Caller) -> Result<Own, AuthError> {
    let user = caller.user()?;
    let current = match sessions::find(db, user.session).await? {
        // The operators' own tokens are of no session.
        None => user.roles.clone(),
        Some(session) if session.revoked_at.is_some() => {
            return Err(Fault::unauthenticated().with_reason(SESSION_REVOKED).into());
        }
        Some(_) => roles::of_users(db, &[user.id]).await?.remove(&user.id).unwrap_or_default(),
    };
    if current.contains(&Role::PlatformAdmin) {
        return Ok(Own::Everything);
    }
    let allowed = roles::named(db, &current).await?;
    Ok(Own::These(allowed.into_values().flatten().collect()))
}

async fn tell(tx: &Tx, row: role::Model, allowed: Permissions) -> Result<RoleDetails, AuthError> {
    tx.emit(&RoleUpdated(state(&row, &allowed))).await?;
    details((row, allowed)).ok_or(AuthError::RoleNotFound)
}

fn state(row: &role::Model, allowed: &Permissions) -> RoleState {
    let role::Model { name, id, description: _, version, created_at, updated_at } = row.clone();
    RoleState { role_id: id, name, permissions: allowed.iter().cloned().collect(), version, created_at, updated_at }
}

/// As replies show it. None: a row whose name is none.
fn details((row, allowed): RoleRow) -> Option<RoleDetails> {
    let role::Model { name, id, description, version, created_at, updated_at } = row;
    let name = Role::parse(&name)?;
    let permissions = match name {
        Role::PlatformAdmin => permissions::all().map(|permission| permission.name.to_owned()).collect(),
        // What a later release has taken away gives nothing any more.
        _ => allowed.into_iter().filter(|permission| permissions::exists(permission)).collect(),
    };
    let built_in = name.is_built_in();
    Some(RoleDetails { id, name, description, permissions, built_in, version, created_at, updated_at })
}
