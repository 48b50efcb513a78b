//! Read model: opening hours, by clinic.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use subjects::ids::{ClinicId, VendorId};
use subjects::time::Instant;
use subjects::vendor::OpeningHours;

/// Opening hours as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Hours(pub OpeningHours);

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "service_availability")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ClinicId,
    pub version: i64,
    pub removed_at: Option<Instant>,
    pub vendor_id: VendorId,
    #[sea_orm(column_type = "JsonBinary")]
    pub hours: Hours,
}

impl ActiveModelBehavior for ActiveModel {}
