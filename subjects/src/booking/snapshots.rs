//! The snapshot of bookings, from which others build their read models.

use super::events::BookingState;

crate::snapshots! {
    service "booking";
    /// All bookings, those that are over among them.
    BookingSnapshot = "booking.snapshot" of BookingState, id booking_id;
}
