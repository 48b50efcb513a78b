//! Messages of the booking service: bookings, their history, and the free slots that can be booked.

pub mod actions;
pub mod availability;
pub mod bookings;
pub mod calendars;
pub mod errors;
pub mod events;
pub mod holds;
pub mod queries;
pub mod snapshots;
pub mod values;
pub mod watch;

pub use actions::{CancelBooking, CompleteBooking, ConfirmBooking, CreateBooking, MarkNoShow, UpdateBooking};
pub use availability::{Availability, AvailableService, FindAvailability, Slot};
pub use bookings::{Booking, BookingChange, PetDetails, PetOfBooking, WalkIn};
pub use calendars::{Calendar, CalendarFeed, CreateCalendar, FindCalendars, NewCalendar, ReadCalendar, RemoveCalendar};
pub use errors::BookingError;
pub use events::{
    BookingCancelled, BookingCompleted, BookingConfirmed, BookingCreated, BookingNeedsAttention, BookingNoShow,
    BookingState, BookingUpdated,
};
pub use holds::{CreateHold, FindHold, Hold, ReleaseHold};
pub use queries::{BookingHistory, FindBookings, GetBooking};
pub use snapshots::BookingSnapshot;
pub use values::{ActorKind, Attention, BookingSort, BookingStatus, ChangeKind, Species};
pub use watch::{BookingItem, WatchBookings};

use crate::access::{Access, MembershipRole, Who};
use crate::audit::FindAuditEntriesOfBooking;
use crate::operation::{EventType, Operation};
use crate::privacy::{ErasePersonFromBooking, ExportPersonOfBooking};

const SERVICE: &str = "booking";

/// Whom a booking concerns: its customer, those who work at the clinic, and those who run the platform.
const PARTIES: Access = Access(&[Who::Owner, Who::Member(MembershipRole::ClinicStaff), Who::Permitted]);

/// Every operation of the booking service.
pub const OPERATIONS: &[Operation] = &[
    Operation::of::<FindBookings>(SERVICE),
    Operation::of::<GetBooking>(SERVICE),
    Operation::of::<CreateBooking>(SERVICE),
    Operation::of::<UpdateBooking>(SERVICE),
    Operation::of::<CancelBooking>(SERVICE),
    Operation::of::<ConfirmBooking>(SERVICE),
    Operation::of::<CompleteBooking>(SERVICE),
    Operation::of::<MarkNoShow>(SERVICE),
    Operation::of::<BookingHistory>(SERVICE),
    Operation::of::<FindAvailability>(SERVICE),
    Operation::of::<CreateHold>(SERVICE),
    Operation::of::<FindHold>(SERVICE),
    Operation::of::<ReleaseHold>(SERVICE),
    Operation::of::<CreateCalendar>(SERVICE),
    Operation::of::<FindCalendars>(SERVICE),
    Operation::of::<RemoveCalendar>(SERVICE),
    Operation::of::<ReadCalendar>(SERVICE),
    Operation::of_stream::<WatchBookings>(SERVICE),
    Operation::of::<BookingSnapshot>(SERVICE),
    Operation::of::<ExportPersonOfBooking>("booking"),
    Operation::of::<ErasePersonFromBooking>("booking"),
    Operation::of::<FindAuditEntriesOfBooking>(SERVICE),
];

/// Every event type of the booking service.
pub const EVENTS: &[EventType] = &[
    EventType::of::<BookingCreated>(),
    EventType::of::<BookingUpdated>(),
    EventType::of::<BookingCancelled>(),
    EventType::of::<BookingConfirmed>(),
    EventType::of::<BookingCompleted>(),
    EventType::of::<BookingNoShow>(),
    EventType::of::<BookingNeedsAttention>(),
];

#[cfg(test)]
mod tests;
