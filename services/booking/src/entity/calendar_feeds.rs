//! Calendars that are read at a secret address.

use sea_orm::entity::prelude::*;
use subjects::ids::{CalendarId, ClinicId, StaffId, UserId, VendorId};
use subjects::time::Instant;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "calendar_feeds")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CalendarId,
    pub user_id: UserId,
    /// None: the user's own bookings.
    pub clinic_id: Option<ClinicId>,
    /// The clinic's vendor, where there is a clinic.
    pub vendor_id: Option<VendorId>,
    pub staff_id: Option<StaffId>,
    /// SHA-256 of the secret.
    pub token_hash: Vec<u8>,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
