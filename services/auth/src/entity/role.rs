//! The roles there are.

use sea_orm::entity::prelude::*;

/// A role.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "roles")]
pub struct Model {
    /// The name, as [`subjects::Role::as_str`] gives it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// For people.
    pub description: String,
    /// What it allows.
    #[sea_orm(has_many)]
    pub permissions: HasMany<super::role_permission::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
