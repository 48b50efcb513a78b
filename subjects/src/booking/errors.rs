//! What the booking service refuses.

use crate::service_error;

service_error! {
    /// What the booking service refuses.
    pub enum BookingError {
        /// No such booking, or none that the caller may know of.
        BookingNotFound = NotFound, "booking_not_found", "there is no such booking";
        /// No such service, or not of the clinic or vendor that was named.
        ServiceNotFound = NotFound, "service_not_found", "there is no such service";
        /// No such pet, or neither the caller's nor shared with them.
        PetNotFound = NotFound, "pet_not_found", "there is no such pet";
        /// Someone else has that time.
        SlotTaken = Conflict, "slot_taken", "that time is already taken";
        /// Outside opening hours, or the service, clinic or vendor takes no bookings.
        VendorUnavailable = Conflict, "vendor_unavailable", "the clinic does not offer this service at that time";
        /// The staff member who was named does not perform the service.
        StaffUnsuitable = Conflict, "staff_unsuitable", "that staff member does not perform this service";
        /// Later than the service takes bookings for that time.
        TooSoon = Conflict, "too_soon", "that time is too soon: the service needs more notice";
        /// Further ahead than the service takes bookings.
        TooFarAhead = Conflict, "too_far_ahead", "that time is further ahead than the service takes bookings";
        /// A time at which no slot begins.
        NotASlot = Conflict, "not_a_slot", "no slot of this service begins at that time";
        /// No such hold, or not the caller's, or it has expired.
        HoldNotFound = NotFound, "hold_not_found", "there is no such hold, or it has expired";
        /// The hold is for another service, time or staff member.
        HoldMismatch = Conflict, "hold_mismatch", "the hold is for another service, time or staff member";
        /// The caller holds as much as one may at a time.
        TooManyHolds = Conflict, "too_many_holds", "you hold as many slots as one may at a time";
        /// It was not confirmed in time.
        BookingExpired = Conflict, "booking_expired", "the booking was not confirmed in time";
        /// No such calendar, or not the caller's.
        CalendarNotFound = NotFound, "calendar_not_found", "there is no such calendar";
        /// The caller has as many calendars as one may have.
        TooManyCalendars = Conflict, "too_many_calendars", "you have as many calendars as one may have";
        /// No such clinic, or one that takes no bookings.
        ClinicNotFound = NotFound, "clinic_not_found", "there is no such clinic";
        /// No such staff member, or one who takes no bookings.
        StaffNotFound = NotFound, "staff_not_found", "there is no such staff member";
        /// A time that is already past.
        StartsInPast = BadRequest, "starts_in_past", "that time has already passed";
        /// The booking's status does not allow it.
        WrongStatus = Conflict, "wrong_status", "the booking's status does not allow that";
        /// A provisional booking cannot be confirmed before it has been checked.
        AwaitingCheck = Conflict, "awaiting_check", "the booking must first be checked against the clinic's schedule";
        /// A visit cannot be completed or missed before it has begun.
        NotBegun = Conflict, "not_begun", "the visit has not begun yet";
        /// Customers cannot change or cancel a visit that has begun.
        AlreadyBegun = Conflict, "already_begun", "the visit has already begun";
    }
}
