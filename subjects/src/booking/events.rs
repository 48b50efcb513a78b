//! What the booking service tells the others. Ids and states only: no pet's name, no notes, no reasons.

use super::bookings::Booking;
use super::values::{Attention, BookingStatus};
use crate::events;
use crate::ids::{BookingId, ClinicId, PetId, ServiceId, StaffId, UserId, VendorId};
use crate::money::Money;
use crate::time::Instant;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A booking as other services may know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BookingState {
    /// The booking.
    pub booking_id: BookingId,
    /// Its version after what happened.
    pub version: i64,
    /// Its short name for people.
    pub reference: String,
    /// Where it stands.
    pub status: BookingStatus,
    /// Whose it is; absent for a walk-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<UserId>,
    /// The vendor.
    pub vendor_id: VendorId,
    /// The clinic.
    pub clinic_id: ClinicId,
    /// The service.
    pub service_id: ServiceId,
    /// Who performs it.
    pub staff_id: StaffId,
    /// The pet, where it is one of the owner's profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pet_id: Option<PetId>,
    /// When the visit begins.
    pub starts_at: Instant,
    /// When it ends.
    pub ends_at: Instant,
    /// The price when it was booked.
    pub price: Money,
    /// What the customer owes for moving or cancelling it late, so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Money>,
    /// True until the time has been checked with the vendor service.
    pub provisional: bool,
    /// Why the clinic has to look at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attention: Option<Attention>,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
}

impl From<&Booking> for BookingState {
    fn from(booking: &Booking) -> BookingState {
        // Taken apart in full, so that a new field has to be placed on one side or the other.
        let Booking {
            id,
            reference,
            version,
            status,
            customer_id,
            walk_in: _,
            vendor_id,
            clinic_id,
            service_id,
            service_name: _,
            staff_id,
            pet,
            starts_at,
            ends_at,
            time_zone: _,
            price,
            policy: _,
            fee,
            expires_at: _,
            schedule_version: _,
            notes: _,
            provisional,
            attention,
            cancel_reason: _,
            created_at,
            updated_at,
        } = booking;
        BookingState {
            booking_id: *id,
            version: *version,
            reference: reference.clone(),
            status: *status,
            customer_id: *customer_id,
            vendor_id: *vendor_id,
            clinic_id: *clinic_id,
            service_id: *service_id,
            staff_id: *staff_id,
            pet_id: pet.id,
            starts_at: *starts_at,
            ends_at: *ends_at,
            price: *price,
            fee: Some(*fee),
            provisional: *provisional,
            attention: *attention,
            created_at: *created_at,
            updated_at: *updated_at,
        }
    }
}

events! {
    service "booking";
    body BookingState, id booking_id, version version;
    /// A booking was made.
    BookingCreated = "booking.created", document "BookingCreated";
    /// A booking got another time, staff member or notes, or was checked with the vendor.
    BookingUpdated = "booking.updated", document "BookingUpdated";
    /// A booking was called off and its time is free again.
    BookingCancelled = "booking.cancelled", document "BookingCancelled";
    /// The clinic expects the visit.
    BookingConfirmed = "booking.confirmed", document "BookingConfirmed";
    /// The visit took place.
    BookingCompleted = "booking.completed";
    /// Nobody came.
    BookingNoShow = "booking.no_show";
    /// What the booking was made on no longer holds: the clinic has to look at it.
    BookingNeedsAttention = "booking.needs_attention";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::{PetOfBooking, Species, WalkIn};
    use crate::time::TimeZone;
    use crate::vendor::BookingPolicy;
    use chrono::DateTime;
    use uuid::Uuid;

    #[test]
    fn an_event_tells_nothing_personal() {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let booking = Booking {
            id: BookingId(Uuid::from_u128(1)),
            reference: "7Q4M2XKD".into(),
            version: 3,
            status: BookingStatus::Cancelled,
            customer_id: None,
            walk_in: Some(WalkIn { name: "Sulastri".into(), phone: Some("+62 811 000".into()) }),
            vendor_id: VendorId(Uuid::from_u128(2)),
            clinic_id: ClinicId(Uuid::from_u128(3)),
            service_id: ServiceId(Uuid::from_u128(4)),
            service_name: "Vaccination".into(),
            staff_id: StaffId(Uuid::from_u128(5)),
            pet: PetOfBooking { id: None, name: Some("Milo".into()), species: Some(Species::Cat), breed: None },
            starts_at: at,
            ends_at: at,
            time_zone: TimeZone::parse("Asia/Makassar").unwrap(),
            price: Money::idr(125_000),
            policy: BookingPolicy::default(),
            fee: Money::idr(0),
            expires_at: None,
            schedule_version: 1,
            notes: Some("afraid of scales".into()),
            provisional: false,
            attention: None,
            cancel_reason: Some("moved away".into()),
            created_at: at,
            updated_at: at,
        };
        let told = serde_json::to_string(&BookingCancelled(BookingState::from(&booking))).unwrap();
        for secret in ["Sulastri", "811", "Milo", "scales", "moved"] {
            assert!(!told.contains(secret), "{secret} in {told}");
        }
        assert!(told.contains(r#""status":"cancelled""#));
    }
}
