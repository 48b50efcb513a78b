//! Read model: the bookings of pets, by which staff may read their records.

use sea_orm::entity::prelude::*;
use subjects::booking::BookingStatus;
use subjects::ids::{BookingId, ClinicId, PetId, VendorId};
use subjects::time::Instant;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "bookings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BookingId,
    pub version: i64,
    /// Bookings are never removed; every read model has the column.
    pub removed_at: Option<Instant>,
    pub pet_id: PetId,
    pub vendor_id: VendorId,
    pub clinic_id: ClinicId,
    pub status: BookingStatus,
    pub ends_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
