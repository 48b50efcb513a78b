//! Roles, and who has them.

use crate::entity::{role, role_permission, user_role};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use std::collections::HashMap;
use store::Error;
use subjects::Role;
use subjects::ids::UserId;

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

/// Every role with the names of its permissions.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<(role::Model, Vec<String>)>, Error> {
    let roles = role::Entity::find().order_by_asc(role::Column::Name).all(db).await?;
    let permissions = role_permission::Entity::find().order_by_asc(role_permission::Column::Permission).all(db).await?;
    Ok(roles
        .into_iter()
        .map(|role| {
            let allowed = permissions.iter().filter(|permission| permission.role == role.name);
            let names = allowed.map(|permission| permission.permission.clone()).collect();
            (role, names)
        })
        .collect())
}
