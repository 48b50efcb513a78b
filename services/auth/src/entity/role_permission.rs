//! What a role allows.

use sea_orm::entity::prelude::*;

/// A permission of a role.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "role_permissions")]
pub struct Model {
    /// The role's name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub role: String,
    /// The permission's name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub permission: String,
    /// The role's row.
    #[sea_orm(belongs_to, from = "role", to = "name")]
    pub owner: BelongsTo<super::role::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
