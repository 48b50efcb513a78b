//! Read model: memberships.

use sea_orm::entity::prelude::*;
use subjects::ids::{ClinicId, MembershipId, UserId, VendorId};
use subjects::time::Instant;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "memberships")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MembershipId,
    pub version: i64,
    pub removed_at: Option<Instant>,
    pub user_id: UserId,
    pub vendor_id: VendorId,
    /// None: all clinics of the vendor.
    pub clinic_id: Option<ClinicId>,
    /// See `subjects::MembershipRole::as_str`.
    pub role: String,
    pub active: bool,
}

impl ActiveModelBehavior for ActiveModel {}
