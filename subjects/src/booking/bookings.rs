//! A booking and its history, as they are shown to those who may see them.

use super::values::{ActorKind, Attention, BookingStatus, ChangeKind, Species};
use crate::ids::{BookingId, ClinicId, PetId, ServiceId, StaffId, UserId, VendorId};
use crate::money::Money;
use crate::time::{Instant, TimeZone};
use crate::vendor::BookingPolicy;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A pet described in place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct PetDetails {
    /// What the pet is called: 1 to 80 characters.
    #[garde(length(chars, min = 1, max = 80), pattern(r"^[^\x00]*[^\x00-\x20][^\x00]*$"))]
    pub name: String,
    /// The kind of animal.
    #[garde(skip)]
    pub species: Species,
    /// The breed: 1 to 80 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 80), pattern(r"^[^\x00]*[^\x00-\x20][^\x00]*$"))]
    pub breed: Option<String>,
}

/// Someone without an account, for whom the clinic books.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct WalkIn {
    /// The person's name: 1 to 120 characters.
    #[garde(length(chars, min = 1, max = 120), pattern(r"^[^\x00]*[^\x00-\x20][^\x00]*$"))]
    pub name: String,
    /// A telephone number: digits, spaces, `+`, `-` and brackets, 4 to 32 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 4, max = 32), pattern(r"^[0-9+() -]*$"))]
    pub phone: Option<String>,
}

/// The pet of a booking: its id, or what was said of it when the booking was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PetOfBooking {
    /// The pet in the owner's profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<PetId>,
    /// What it is called, when it was named in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The kind of animal, when it was named in place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub species: Option<Species>,
    /// The breed, when it was named in place with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breed: Option<String>,
}

/// A booked visit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Booking {
    /// The booking's id.
    pub id: BookingId,
    /// A short name for people: eight characters of Crockford's base32, unique.
    pub reference: String,
    /// Rises with every change; the ETag is made of it.
    pub version: i64,
    /// Where it stands.
    pub status: BookingStatus,
    /// Whose booking it is; absent for a walk-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<UserId>,
    /// The person, where the clinic booked for someone without an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walk_in: Option<WalkIn>,
    /// The vendor.
    pub vendor_id: VendorId,
    /// The clinic.
    pub clinic_id: ClinicId,
    /// The service.
    pub service_id: ServiceId,
    /// The service's name when it was booked.
    pub service_name: String,
    /// Who performs it.
    pub staff_id: StaffId,
    /// The pet.
    pub pet: PetOfBooking,
    /// When the visit begins.
    pub starts_at: Instant,
    /// When it ends.
    pub ends_at: Instant,
    /// The clinic's time zone, in which people read these times.
    pub time_zone: TimeZone,
    /// The price when it was booked.
    pub price: Money,
    /// The clinic's rules when it was booked.
    pub policy: BookingPolicy,
    /// What the customer owes for moving or cancelling it late, so far.
    pub fee: Money,
    /// Until when it waits for the clinic; absent once the clinic has confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Instant>,
    /// The version of the clinic's schedule on which it was made or last moved.
    pub schedule_version: i64,
    /// What the customer or the clinic noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// True while the time was accepted from the booking service's own copy of the schedule, because the vendor
    /// service did not answer. It stays pending until it has been checked.
    pub provisional: bool,
    /// Why the clinic has to look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<Attention>,
    /// Why it was cancelled, where someone said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<String>,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
}

/// One entry of a booking's history, which only ever grows: what changed, and how the booking stood after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BookingChange {
    /// The booking's version after the change.
    pub version: i64,
    /// What it did.
    pub kind: ChangeKind,
    /// When.
    pub at: Instant,
    /// In what capacity it was done.
    pub actor: ActorKind,
    /// The user who did it; absent where the platform did, and, unless the clinic's staff or those who run the platform
    /// ask, where it was not the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<UserId>,
    /// Where the booking stood after it.
    pub status: BookingStatus,
    /// Who was to perform the service after it.
    pub staff_id: StaffId,
    /// When the visit was to begin after it.
    pub starts_at: Instant,
    /// When the visit was to end after it.
    pub ends_at: Instant,
    /// The notes after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// The reason given for a cancellation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the clinic had to look at after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<Attention>,
    /// What the customer owed after it.
    pub fee: Money,
}
