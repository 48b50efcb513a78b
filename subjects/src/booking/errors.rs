//! What the booking service refuses.

use crate::service_error;

service_error! {
    /// What the booking service refuses.
    pub enum BookingError {
        /// No such booking, or none that the caller may know of.
        BookingNotFound = NotFound, "booking_not_found", "there is no such booking";
        /// No such service, or not of the clinic or vendor that was named.
        ServiceNotFound = NotFound, "service_not_found", "there is no such service";
        /// Someone else has that time.
        SlotTaken = Conflict, "slot_taken", "that time is already taken";
        /// Outside opening hours, or the service, clinic or vendor takes no bookings.
        VendorUnavailable = Conflict, "vendor_unavailable", "the clinic does not offer this service at that time";
        /// The staff member who was named does not perform the service.
        StaffUnsuitable = Conflict, "staff_unsuitable", "that staff member does not perform this service";
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
