//! Read model: services.

use sea_orm::entity::prelude::*;
use serde::Deserialize;
use subjects::ids::{ClinicId, ServiceId, VendorId};
use subjects::time::Instant;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "services")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ServiceId,
    pub version: i64,
    pub removed_at: Option<Instant>,
    pub vendor_id: VendorId,
    pub clinic_id: ClinicId,
    pub name: String,
    pub duration_minutes: i32,
    pub buffer_before_minutes: i32,
    pub buffer_after_minutes: i32,
    pub capacity: i32,
    pub price_amount: i64,
    pub price_currency: String,
    pub slot_step_minutes: i32,
    pub minimum_notice_minutes: i32,
    pub booking_window_days: i32,
    pub active: bool,
}

impl ActiveModelBehavior for ActiveModel {}
