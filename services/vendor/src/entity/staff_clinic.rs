//! Who works where.

use sea_orm::entity::prelude::*;
use subjects::ids::{ClinicId, StaffId, VendorId};

/// A staff member works at a clinic of the same vendor.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "staff_clinics")]
pub struct Model {
    /// The staff member.
    #[sea_orm(primary_key, auto_increment = false)]
    pub staff_id: StaffId,
    /// The clinic.
    #[sea_orm(primary_key, auto_increment = false)]
    pub clinic_id: ClinicId,
    /// The vendor of both.
    pub vendor_id: VendorId,
}

impl ActiveModelBehavior for ActiveModel {}
