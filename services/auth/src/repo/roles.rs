//! Roles, what they allow, and who has them.

use crate::domain::roles::Permissions;
use crate::entity::{role, role_permission, user_role};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder,
};
use std::collections::{BTreeMap, HashMap};
use store::{Error, ResultExt as _, statement};
use subjects::auth::AuthError;
use subjects::ids::{RoleId, UserId};
use subjects::{Role, RoleName};

/// The roles of each of the users, in the order of [`Role`]. Users without any are left out.
pub async fn of_users(db: &impl ConnectionTrait, users: &[UserId]) -> Result<HashMap<UserId, Vec<Role>>, Error> {
    let rows = user_role::Entity::find().filter(user_role::Column::UserId.is_in(users.iter().copied())).all(db).await?;
    let mut roles_by_user: HashMap<UserId, Vec<Role>> = HashMap::new();
    for row in rows {
        if let Some(role) = Role::parse(&row.role) {
            roles_by_user.entry(row.user_id).or_default().push(role);
        }
    }
    for roles in roles_by_user.values_mut() {
        roles.sort_unstable();
    }
    Ok(roles_by_user)
}

/// Gives roles to a user who has none of them yet.
pub async fn add(db: &impl ConnectionTrait, user: UserId, roles: &[Role]) -> Result<(), Error> {
    let rows =
        roles.iter().map(|role| user_role::ActiveModel { user_id: Set(user), role: Set(role.as_str().to_owned()) });
    user_role::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

/// Replaces a user's roles.
pub async fn replace(db: &impl ConnectionTrait, user: UserId, roles: &[Role]) -> Result<(), Error> {
    user_role::Entity::delete_many().filter(user_role::Column::UserId.eq(user)).exec(db).await?;
    add(db, user, roles).await
}

const LOCK: &str = "select from roles where name = 'platform_admin' for no key update";

/// Nobody else makes or changes roles, or gives or takes them, before the transaction ends. To be taken before the lock of
/// a user.
pub async fn lock_all(db: &impl ConnectionTrait) -> Result<(), Error> {
    db.execute_raw(statement(LOCK, Vec::new())).await?;
    Ok(())
}

/// A role with what it allows.
pub type RoleRow = (role::Model, Permissions);

/// Every role, in the order of names.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<RoleRow>, Error> {
    let roles = role::Entity::find().order_by_asc(role::Column::Name).all(db).await?;
    with_permissions(db, roles).await
}

/// The role with this id.
pub async fn find(db: &impl ConnectionTrait, id: RoleId) -> Result<Option<RoleRow>, Error> {
    let rows = role::Entity::find().filter(role::Column::Id.eq(id)).all(db).await?;
    Ok(with_permissions(db, rows).await?.pop())
}

/// Those of the roles that there are, with what they allow.
pub async fn named(db: &impl ConnectionTrait, roles: &[Role]) -> Result<BTreeMap<Role, Permissions>, Error> {
    let names = roles.iter().map(Role::as_str);
    let rows = role::Entity::find().filter(role::Column::Name.is_in(names)).all(db).await?;
    let rows = with_permissions(db, rows).await?;
    Ok(rows.into_iter().filter_map(|(row, allowed)| Some((Role::parse(&row.name)?, allowed))).collect())
}

/// Adds to roles what they allow.
pub async fn with_permissions(db: &impl ConnectionTrait, roles: Vec<role::Model>) -> Result<Vec<RoleRow>, Error> {
    let names = roles.iter().map(|role| role.name.as_str());
    let of_roles = role_permission::Entity::find().filter(role_permission::Column::Role.is_in(names));
    let mut by_role: HashMap<String, Permissions> = HashMap::new();
    for row in of_roles.all(db).await? {
        by_role.entry(row.role).or_default().insert(row.permission);
    }
    Ok(roles
        .into_iter()
        .map(|role| {
            let allowed = by_role.remove(&role.name).unwrap_or_default();
            (role, allowed)
        })
        .collect())
}

/// How many there are.
pub async fn count(db: &impl ConnectionTrait) -> Result<u64, Error> {
    Ok(role::Entity::find().count(db).await?)
}

/// Adds a role.
pub async fn insert(db: &impl ConnectionTrait, row: &role::Model, allowed: &Permissions) -> Result<(), AuthError> {
    let inserted = role::Entity::insert(row.clone().into_active_model().reset_all()).exec_without_returning(db).await;
    inserted.on_constraint("roles_pkey", AuthError::RoleNameTaken)?;
    Ok(allow_also(db, &row.name, allowed).await?)
}

/// Writes what can change of a role, and all that it allows from now on.
pub async fn save(db: &impl ConnectionTrait, row: &role::Model, allowed: &Permissions) -> Result<(), Error> {
    let role::Model { name, id: _, description, version, created_at: _, updated_at } = row.clone();
    let changed = role::ActiveModel {
        name: Set(name),
        description: Set(description),
        version: Set(version),
        updated_at: Set(updated_at),
        ..Default::default()
    };
    role::Entity::update(changed).exec(db).await?;
    let before = role_permission::Entity::delete_many().filter(role_permission::Column::Role.eq(row.name.as_str()));
    before.exec(db).await?;
    allow_also(db, &row.name, allowed).await
}

async fn allow_also(db: &impl ConnectionTrait, role: &str, allowed: &Permissions) -> Result<(), Error> {
    let rows = allowed.iter().map(|permission| role_permission::ActiveModel {
        role: Set(role.to_owned()),
        permission: Set(permission.clone()),
    });
    role_permission::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

/// Removes a role that nobody has.
pub async fn remove(db: &impl ConnectionTrait, name: &str) -> Result<(), AuthError> {
    let removed = role::Entity::delete_by_id(name.to_owned()).exec(db).await;
    removed.on_constraint("user_roles_role_fkey", AuthError::RoleInUse)?;
    Ok(())
}

const ALLOW: &str = "select exists (select from role_permissions where permission = $1 \
    and role = any (string_to_array($2, ',')))";

/// Whether one of the roles has a permission.
pub async fn allow(db: &impl ConnectionTrait, roles: &[RoleName], permission: &str) -> Result<bool, Error> {
    first(db, ALLOW, vec![permission.into(), store::id_list(roles).into()]).await
}

const OTHERS_RUN_PLATFORM: &str = "select exists (select from user_roles join users on users.id = user_roles.user_id \
    where user_roles.role = 'platform_admin' and users.status = 'active' and users.id <> $1)";

/// Whether somebody else can sign in who runs the platform.
pub async fn others_run_platform(db: &impl ConnectionTrait, user: UserId) -> Result<bool, Error> {
    first(db, OTHERS_RUN_PLATFORM, vec![user.into()]).await
}

async fn first(db: &impl ConnectionTrait, sql: &str, values: Vec<sea_orm::Value>) -> Result<bool, Error> {
    let row = db.query_one_raw(statement(sql, values)).await?;
    Ok(row.map(|row| row.try_get_by_index(0)).transpose()?.unwrap_or(false))
}
