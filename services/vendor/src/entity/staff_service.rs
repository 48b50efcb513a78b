//! Who performs what.

use sea_orm::entity::prelude::*;
use subjects::ids::{ClinicId, ServiceId, StaffId};

/// A staff member performs a service of a clinic at which they work.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "staff_services")]
pub struct Model {
    /// The staff member.
    #[sea_orm(primary_key, auto_increment = false)]
    pub staff_id: StaffId,
    /// The service.
    #[sea_orm(primary_key, auto_increment = false)]
    pub service_id: ServiceId,
    /// The clinic that offers it.
    pub clinic_id: ClinicId,
}

impl ActiveModelBehavior for ActiveModel {}
