//! Dates on which clinics are open otherwise than usual.

use sea_orm::entity::prelude::*;
use subjects::ids::ClinicId;

/// What replaces the usual week on one date.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "hour_exceptions")]
pub struct Model {
    /// The clinic.
    #[sea_orm(primary_key, auto_increment = false)]
    pub clinic_id: ClinicId,
    /// The date in the clinic's zone.
    #[sea_orm(primary_key, auto_increment = false)]
    pub date: Date,
    /// Intervals as the contract writes them; an empty list: closed.
    pub intervals: Json,
    /// Why.
    pub note: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
