//! Who has which role.

use sea_orm::entity::prelude::*;
use subjects::ids::UserId;

/// A role of a user.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_roles")]
pub struct Model {
    /// The user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    /// The role, as [`subjects::Role::as_str`] names it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub role: String,
    /// The user's row.
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
