//! Read model: vendors.

use sea_orm::entity::prelude::*;
use subjects::ids::VendorId;
use subjects::time::Instant;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "vendors")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VendorId,
    pub version: i64,
    pub removed_at: Option<Instant>,
    pub open_for_business: bool,
}

impl ActiveModelBehavior for ActiveModel {}
