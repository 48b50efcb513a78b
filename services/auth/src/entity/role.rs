//! The roles there are.

use sea_orm::entity::prelude::*;
use subjects::ids::RoleId;
use subjects::time::Instant;

/// A role.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "roles")]
pub struct Model {
    /// The name, as [`subjects::Role::as_str`] gives it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// Its id: events and other services know it by this.
    pub id: RoleId,
    /// For people.
    pub description: String,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// What it allows.
    #[sea_orm(has_many)]
    pub permissions: HasMany<super::role_permission::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
