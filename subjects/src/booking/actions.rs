//! Requests that make or change a booking.

use super::PARTIES;
use super::bookings::{Booking, PetDetails, WalkIn};
use super::errors::BookingError;
use crate::access::{Access, MembershipRole, Who};
use crate::fallback::Fallback;
use crate::ids::{BookingId, ClinicId, HoldId, PetId, ServiceId, StaffId, VendorId};
use crate::request::{Effect, Request, Rest, When};
use crate::role::Role;
use crate::rules;
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const CLINIC_STAFF: Access = Access(&[Who::Member(MembershipRole::ClinicStaff), Who::Permitted]);

/// Books a service for a pet. Without a staff member, the first free one who performs the service is taken.
///
/// Customers book for themselves; a clinic's staff also for a walk-in without an account. When the vendor service
/// does not answer, the booking is made on the booking service's own copy of the schedule and is `provisional`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CreateBooking {
    /// The service.
    #[garde(skip)]
    pub service_id: ServiceId,
    /// The clinic. The service determines it; when it is given, they must agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub clinic_id: Option<ClinicId>,
    /// The vendor, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub vendor_id: Option<VendorId>,
    /// Who is to perform it; absent: the first free one who can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub staff_id: Option<StaffId>,
    /// The caller's hold on this service and time, which becomes the booking; its staff member performs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub hold_id: Option<HoldId>,
    /// When the visit begins: a whole minute that lies ahead, for customers the beginning of a slot. Document 003 calls
    /// it `date`.
    #[serde(alias = "date")]
    #[garde(custom(rules::visit_start))]
    pub starts_at: Instant,
    /// The pet, described in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive, custom(one_pet(self.pet_id.is_some())))]
    pub pet: Option<PetDetails>,
    /// The customer's own pet, or one that is shared with them, in place of `pet`. Not for a walk-in, who has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(no_pet_of_a_walk_in(self.walk_in.is_some())))]
    pub pet_id: Option<PetId>,
    /// The person, when a clinic's staff books for someone without an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub walk_in: Option<WalkIn>,
    /// Anything the clinic should know: at most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, max = 2000), pattern(r"^[^\x00]*$"))]
    pub notes: Option<String>,
}

fn one_pet(has_pet_id: bool) -> impl FnOnce(&Option<PetDetails>, &()) -> garde::Result {
    move |pet, ()| match (pet.is_some(), has_pet_id) {
        (true, true) => Err(garde::Error::new("name the pet here or by petId, not both")),
        (false, false) => Err(garde::Error::new("name the pet")),
        _ => Ok(()),
    }
}

/// Whoever has no account has no pets in a profile.
fn no_pet_of_a_walk_in(is_walk_in: bool) -> impl FnOnce(&Option<PetId>, &()) -> garde::Result {
    move |pet_id, ()| match pet_id {
        Some(_) if is_walk_in => Err(garde::Error::new("describe the pet of a walk-in in pet")),
        _ => Ok(()),
    }
}

impl Request for CreateBooking {
    const SUBJECT: &'static str = "booking.create";
    const ALIASES: &'static [&'static str] = &["create-booking"];
    const ACCESS: Access = Access(&[Who::Role(Role::Customer), Who::Member(MembershipRole::ClinicStaff)]);
    const EFFECT: Effect = Effect::Keyed;
    const FALLBACKS: &'static [Fallback] = &[Fallback::ScheduleCopy];
    const REST: &'static [Rest] = &[Rest::post("/bookings", 201)];
    type Reply = Booking;
    type Error = BookingError;
}

/// Replaces what may be changed of a booking: its time, its staff member and its notes. Needs `If-Match`.
///
/// The id, the reference and the history stay. Another time or staff member is claimed and the old one freed in one
/// step; a confirmed booking that a customer moves has to be confirmed again. A customer who moves it later than the
/// clinic's policy asks owes its fee.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct UpdateBooking {
    /// The booking.
    #[garde(skip)]
    pub id: BookingId,
    /// When the visit begins: a whole minute; the present one leaves it as it is. Document 003 calls it `date`.
    #[serde(alias = "date")]
    #[garde(custom(rules::visit_start))]
    pub starts_at: Instant,
    /// Who is to perform it; absent: the present staff member when free, otherwise the first free one who can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub staff_id: Option<StaffId>,
    /// The notes: at most 2,000 characters; absent removes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, max = 2000), pattern(r"^[^\x00]*$"))]
    pub notes: Option<String>,
}

impl Request for UpdateBooking {
    const SUBJECT: &'static str = "booking.update";
    const ACCESS: Access = PARTIES;
    const EFFECT: Effect = Effect::Keyed;
    const WHEN: &'static [When] = &[When { field: "status", is_one_of: &["pending", "confirmed"] }];
    const FALLBACKS: &'static [Fallback] = &[Fallback::ScheduleCopy];
    const REST: &'static [Rest] = &[Rest::put("/bookings/{id}")];
    type Reply = Booking;
    type Error = BookingError;
}

/// Calls a booking off. The row and its history stay; the time is free again. Cancelling twice changes nothing.
///
/// A customer who cancels later than the clinic's policy asks owes its fee.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CancelBooking {
    /// The booking.
    #[garde(skip)]
    pub id: BookingId,
    /// Why: at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, max = 500), pattern(r"^[^\x00]*$"))]
    pub reason: Option<String>,
}

impl Request for CancelBooking {
    const SUBJECT: &'static str = "booking.cancel";
    const ACCESS: Access = PARTIES;
    const EFFECT: Effect = Effect::Idempotent;
    const WHEN: &'static [When] = &[When { field: "status", is_one_of: &["pending", "confirmed"] }];
    const REST: &'static [Rest] = &[Rest::delete("/bookings/{id}", 200)];
    type Reply = Booking;
    type Error = BookingError;
}

/// The clinic expects the visit. Confirming twice changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmBooking {
    /// The booking.
    #[garde(skip)]
    pub id: BookingId,
}

impl Request for ConfirmBooking {
    const SUBJECT: &'static str = "booking.confirm";
    const ACCESS: Access = CLINIC_STAFF;
    const EFFECT: Effect = Effect::Idempotent;
    const WHEN: &'static [When] = &[When { field: "status", is_one_of: &["pending"] }];
    const REST: &'static [Rest] = &[Rest::post("/bookings/{id}/confirm", 200)];
    type Reply = Booking;
    type Error = BookingError;
}

/// The visit took place. Completing twice changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CompleteBooking {
    /// The booking.
    #[garde(skip)]
    pub id: BookingId,
}

impl Request for CompleteBooking {
    const SUBJECT: &'static str = "booking.complete";
    const ACCESS: Access = CLINIC_STAFF;
    const EFFECT: Effect = Effect::Idempotent;
    const WHEN: &'static [When] = &[When { field: "status", is_one_of: &["confirmed"] }];
    const REST: &'static [Rest] = &[Rest::post("/bookings/{id}/complete", 200)];
    type Reply = Booking;
    type Error = BookingError;
}

/// Nobody came. Saying so twice changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct MarkNoShow {
    /// The booking.
    #[garde(skip)]
    pub id: BookingId,
}

impl Request for MarkNoShow {
    const SUBJECT: &'static str = "booking.noShow";
    const ACCESS: Access = CLINIC_STAFF;
    const EFFECT: Effect = Effect::Idempotent;
    const WHEN: &'static [When] = &[When { field: "status", is_one_of: &["confirmed"] }];
    const REST: &'static [Rest] = &[Rest::post("/bookings/{id}/no-show", 200)];
    type Reply = Booking;
    type Error = BookingError;
}
