//! Bookings.

use super::clinics::Policy;
use sea_orm::entity::prelude::*;
use serde::Deserialize;
use store::person::SealedText;
use subjects::booking::{Attention, BookingStatus, Species};
use subjects::ids::{BookingId, ClinicId, PetId, ServiceId, StaffId, UserId, VendorId};
use subjects::time::Instant;

/// Also what the deltas of its history come to, which leave out the claim and the note to ourselves. What people wrote is
/// sealed: see [`crate::texts`].
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "bookings")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: BookingId,
    pub reference: String,
    pub version: i64,
    pub status: BookingStatus,
    pub customer_id: Option<UserId>,
    pub walk_in_name: Option<SealedText>,
    pub walk_in_phone: Option<SealedText>,
    pub vendor_id: VendorId,
    pub clinic_id: ClinicId,
    pub service_id: ServiceId,
    pub service_name: String,
    pub staff_id: StaffId,
    /// The claim on the staff member's time; none once the time is free again.
    #[serde(skip)]
    pub session_id: Option<Uuid>,
    pub pet_id: Option<PetId>,
    pub pet_name: Option<SealedText>,
    pub pet_species: Option<Species>,
    pub pet_breed: Option<SealedText>,
    pub starts_at: Instant,
    pub ends_at: Instant,
    pub time_zone: String,
    pub price_amount: i64,
    pub price_currency: String,
    /// The clinic's rules when it was booked.
    #[sea_orm(column_type = "JsonBinary")]
    pub policy: Policy,
    /// What the customer owes for moving or cancelling it late, in the price's currency.
    pub fee_amount: i64,
    pub notes: Option<SealedText>,
    pub cancel_reason: Option<SealedText>,
    /// Waits to be checked with the vendor service.
    pub needs_check: bool,
    pub attention: Option<Attention>,
    /// The version of the clinic's schedule on which its time was last found good.
    pub schedule_version: i64,
    /// The vendor's schedule has changed since: it waits to be looked at.
    #[serde(skip)]
    pub schedule_changed: bool,
    /// Until when it waits to be confirmed; none once it does not. What was cancelled because that time came keeps it.
    pub expires_at: Option<Instant>,
    pub created_at: Instant,
    pub updated_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
