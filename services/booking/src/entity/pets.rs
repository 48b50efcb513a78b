//! Read model: pets, as far as booking has to know them: who may book for each.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use subjects::ids::{PetId, UserId};
use subjects::time::Instant;

/// Ids, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct UserIds(pub Vec<UserId>);

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PetId,
    pub version: i64,
    pub removed_at: Option<Instant>,
    pub owner_id: UserId,
    #[sea_orm(column_type = "JsonBinary")]
    pub shared_with: UserIds,
}

impl ActiveModelBehavior for ActiveModel {}
