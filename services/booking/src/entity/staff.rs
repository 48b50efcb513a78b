//! Read model: staff.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use subjects::ids::{ClinicId, ServiceId, StaffId, VendorId};
use subjects::time::Instant;
use subjects::vendor::{WorkingException, WorkingInterval};

/// The clinics at which someone works, as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct ClinicIds(pub Vec<ClinicId>);

/// The services that someone performs, as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct ServiceIds(pub Vec<ServiceId>);

/// Someone's own week, as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct OwnWeek(pub Vec<WorkingInterval>);

/// The dates on which someone works otherwise than usual, as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Exceptions(pub Vec<WorkingException>);

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "staff")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StaffId,
    pub version: i64,
    pub removed_at: Option<Instant>,
    pub vendor_id: VendorId,
    #[sea_orm(column_type = "JsonBinary")]
    pub clinic_ids: ClinicIds,
    #[sea_orm(column_type = "JsonBinary")]
    pub service_ids: ServiceIds,
    /// None: whenever the clinic is open.
    #[sea_orm(column_type = "JsonBinary", nullable)]
    pub hours: Option<OwnWeek>,
    #[sea_orm(column_type = "JsonBinary")]
    pub exceptions: Exceptions,
    pub active: bool,
}

impl ActiveModelBehavior for ActiveModel {}
