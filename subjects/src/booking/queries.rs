//! Requests that read bookings.

use super::PARTIES;
use super::bookings::{Booking, BookingChange};
use super::errors::BookingError;
use super::values::{BookingSort, BookingStatus};
use crate::access::{Access, Who};
use crate::ids::{BookingId, ClinicId, PetId, StaffId};
use crate::paging::Page;
use crate::request::{Effect, Request, Rest};
use crate::rules;
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One booking.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct GetBooking {
    /// The booking.
    #[serde(alias = "bookingId")]
    #[garde(skip)]
    pub id: BookingId,
}

impl Request for GetBooking {
    const SUBJECT: &'static str = "booking.findOne";
    const ALIASES: &'static [&'static str] = &["get-booking"];
    const ACCESS: Access = PARTIES;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/bookings/{id}")];
    type Reply = Booking;
    type Error = BookingError;
}

/// The caller's own bookings, or, when `clinicId` names a clinic where the caller is a member, those of the clinic;
/// the earliest visit first. For everybody else `clinicId` is a filter on their own.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindBookings {
    /// Only bookings that stand there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub status: Option<BookingStatus>,
    /// Only bookings at this clinic; all of them for its members and for those who run the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub clinic_id: Option<ClinicId>,
    /// Only bookings with this staff member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub staff_id: Option<StaffId>,
    /// Only bookings for this pet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub pet_id: Option<PetId>,
    /// Only visits that begin at this instant or later. Document 003 calls it `date`.
    #[serde(default, alias = "date", skip_serializing_if = "Option::is_none")]
    #[garde(custom(rules::sensible_instant))]
    pub from: Option<Instant>,
    /// Only visits that begin before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(rules::sensible_instant))]
    pub to: Option<Instant>,
    /// The order; the earliest visit first unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub sort: Option<BookingSort>,
    /// How many at the most: 1 to 100, 20 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 100))]
    pub limit: Option<u16>,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 512))]
    pub cursor: Option<String>,
}

impl Request for FindBookings {
    const SUBJECT: &'static str = "booking.findAll";
    const ACCESS: Access = Access(&[Who::SignedIn, Who::Permitted]);
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/bookings")];
    type Reply = Page<Booking>;
    type Error = BookingError;
}

/// What happened to a booking, from the first change to the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct BookingHistory {
    /// The booking.
    #[garde(skip)]
    pub id: BookingId,
    /// How many at the most: 1 to 100, 20 unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 100))]
    pub limit: Option<u16>,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 512))]
    pub cursor: Option<String>,
}

impl Request for BookingHistory {
    const SUBJECT: &'static str = "booking.history";
    const ACCESS: Access = PARTIES;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/bookings/{id}/history")];
    type Reply = Page<BookingChange>;
    type Error = BookingError;
}
