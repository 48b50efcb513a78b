//! Read model: clinics.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use subjects::ids::{ClinicId, VendorId};
use subjects::time::Instant;
use subjects::vendor::BookingPolicy;

/// A clinic's rules for bookings, as JSON; what an older row does not have is as the contract says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Policy(pub BookingPolicy);

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "clinics")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ClinicId,
    pub version: i64,
    pub removed_at: Option<Instant>,
    pub vendor_id: VendorId,
    pub name: String,
    pub time_zone: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub policy: Policy,
    pub active: bool,
}

impl ActiveModelBehavior for ActiveModel {}
