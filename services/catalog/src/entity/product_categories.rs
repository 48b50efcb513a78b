//! Categories of products.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use subjects::catalog::AttributeRule;
use subjects::ids::CategoryId;
use subjects::time::Instant;

/// What a category says of attributes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Rules(pub Vec<AttributeRule>);

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "product_categories")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CategoryId,
    pub parent_id: Option<CategoryId>,
    pub name: String,
    pub english_name: Option<String>,
    pub slug: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub attribute_schema: Rules,
    pub position: i32,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
