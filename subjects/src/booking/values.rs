//! The closed sets of values that bookings are described with.

pub use crate::profile::Species;

use crate::values::named_values;

named_values! {
    /// The order of a list of bookings.
    pub enum BookingSort {
        /// The earliest visit first.
        StartsAt = "startsAt",
        /// The latest visit first.
        StartsAtDescending = "-startsAt",
        /// The latest made first.
        CreatedAtDescending = "-createdAt",
    }
}

named_values! {
    /// Where a booking stands: pending, then confirmed, then completed or no_show; or cancelled from the first two.
    pub enum BookingStatus {
        /// Made, and waiting for the clinic.
        Pending = "pending",
        /// The clinic expects the visit.
        Confirmed = "confirmed",
        /// The visit took place.
        Completed = "completed",
        /// Nobody came.
        NoShow = "no_show",
        /// Called off; the time is free again.
        Cancelled = "cancelled",
    }
}

named_values! {
    /// Why the clinic has to look at a booking: what it was made on no longer holds.
    pub enum Attention {
        /// The clinic's or the staff member's hours no longer cover it.
        OutsideHours = "outside_hours",
        /// The service is no longer offered.
        ServiceRemoved = "service_removed",
        /// The staff member is gone, or no longer performs the service.
        StaffRemoved = "staff_removed",
        /// The vendor may no longer take bookings.
        VendorInactive = "vendor_inactive",
    }
}

named_values! {
    /// What a change did to a booking.
    pub enum ChangeKind {
        /// It was made.
        Created = "created",
        /// It got another time or staff member.
        Rescheduled = "rescheduled",
        /// Its notes changed, and nothing else.
        NotesChanged = "notes_changed",
        /// The clinic confirmed it.
        Confirmed = "confirmed",
        /// The visit took place.
        Completed = "completed",
        /// Nobody came.
        NoShow = "no_show",
        /// It was called off.
        Cancelled = "cancelled",
        /// Nobody confirmed it in time.
        Expired = "expired",
        /// It was checked against the vendor's schedule, and fits.
        Checked = "checked",
        /// What it was made on no longer holds.
        NeedsAttention = "needs_attention",
    }
}

named_values! {
    /// In what capacity someone changed a booking.
    pub enum ActorKind {
        /// The customer whose booking it is.
        Customer = "customer",
        /// A member of the clinic.
        Staff = "staff",
        /// Someone who runs the platform.
        PlatformAdmin = "platform_admin",
        /// The platform by itself.
        System = "system",
    }
}
