//! The closed sets of values that stock is described with.

use crate::values::named_values;

named_values! {
    /// The order of a list of stock.
    pub enum InventorySort {
        /// The oldest entry first.
        CreatedAt = "createdAt",
        /// What has fewest available first.
        Available = "available",
        /// The latest changed first.
        UpdatedAtDescending = "-updatedAt",
    }
}

named_values! {
    /// Why someone changes how much is there.
    pub enum StockChange {
        /// A delivery came.
        Received = "received",
        /// A customer brought it back.
        Returned = "returned",
        /// It was sold over the counter.
        Sold = "sold",
        /// It was used at the clinic.
        Used = "used",
        /// It broke, or is past its date.
        Damaged = "damaged",
        /// It cannot be found.
        Lost = "lost",
        /// It was counted.
        Counted = "counted",
        /// What was written down was wrong.
        Corrected = "corrected",
    }
}

named_values! {
    /// Why a stock moved.
    pub enum MovementReason {
        /// It began to be kept.
        Opened = "opened",
        /// A delivery came.
        Received = "received",
        /// A customer brought it back.
        Returned = "returned",
        /// It was sold over the counter.
        Sold = "sold",
        /// It was used at the clinic.
        Used = "used",
        /// It broke, or is past its date.
        Damaged = "damaged",
        /// It cannot be found.
        Lost = "lost",
        /// It was counted.
        Counted = "counted",
        /// What was written down was wrong.
        Corrected = "corrected",
        /// It was promised to somebody.
        Reserved = "reserved",
        /// What was promised was given out.
        Committed = "committed",
        /// The promise was given back.
        Released = "released",
        /// Nobody came for what was promised, in time.
        Expired = "expired",
    }
}

named_values! {
    /// In what capacity someone moved a stock.
    pub enum StockActor {
        /// Someone who works at the place.
        Staff = "staff",
        /// Someone who runs the platform.
        PlatformAdmin = "platform_admin",
        /// Another service.
        Service = "service",
        /// The platform by itself.
        System = "system",
    }
}

named_values! {
    /// Where a reservation stands: active, and then one of the others for good.
    pub enum ReservationStatus {
        /// The pieces are kept.
        Active = "active",
        /// They were given out.
        Committed = "committed",
        /// They were given back.
        Released = "released",
        /// Nobody came for them in time; others may have them.
        Expired = "expired",
    }
}

impl From<StockChange> for MovementReason {
    fn from(change: StockChange) -> MovementReason {
        match change {
            StockChange::Received => MovementReason::Received,
            StockChange::Returned => MovementReason::Returned,
            StockChange::Sold => MovementReason::Sold,
            StockChange::Used => MovementReason::Used,
            StockChange::Damaged => MovementReason::Damaged,
            StockChange::Lost => MovementReason::Lost,
            StockChange::Counted => MovementReason::Counted,
            StockChange::Corrected => MovementReason::Corrected,
        }
    }
}
