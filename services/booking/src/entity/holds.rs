//! Holds: time that is kept for somebody for some minutes.

use sea_orm::entity::prelude::*;
use subjects::ids::{ClinicId, HoldId, ServiceId, StaffId, UserId, VendorId};
use subjects::time::Instant;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "holds")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: HoldId,
    pub user_id: UserId,
    pub vendor_id: VendorId,
    pub clinic_id: ClinicId,
    pub service_id: ServiceId,
    pub staff_id: StaffId,
    /// The claim on the staff member's time.
    pub session_id: Uuid,
    pub starts_at: Instant,
    pub ends_at: Instant,
    pub time_zone: String,
    pub expires_at: Instant,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
