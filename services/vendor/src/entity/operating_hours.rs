//! The usual week of clinics.

use sea_orm::entity::prelude::*;
use subjects::ids::ClinicId;

/// One interval of a clinic's usual week.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "operating_hours")]
pub struct Model {
    /// The clinic.
    #[sea_orm(primary_key, auto_increment = false)]
    pub clinic_id: ClinicId,
    /// 0 is Monday.
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: i16,
    /// When it opens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub opens: Time,
    /// When it closes; at or before `opens` on the next day.
    pub closes: Time,
}

impl ActiveModelBehavior for ActiveModel {}
