//! Read model: clinics.

use sea_orm::entity::prelude::*;
use subjects::ids::{ClinicId, VendorId};
use subjects::time::Instant;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "clinics")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ClinicId,
    pub version: i64,
    pub removed_at: Option<Instant>,
    pub vendor_id: VendorId,
    pub time_zone: String,
    pub active: bool,
}

impl ActiveModelBehavior for ActiveModel {}
