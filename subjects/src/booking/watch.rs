//! The stream of bookings as they change.

use super::errors::BookingError;
use super::events::BookingState;
use crate::access::{Access, Who};
use crate::ids::ClinicId;
use crate::request::Rest;
use crate::rules;
use crate::stream::{Stream, StreamItem};
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Watches bookings: those that there are, and then every change of one. The caller's own, or, when `clinicId` names a
/// clinic where the caller is a member, those of the clinic; for everybody else `clinicId` is a filter on their own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct WatchBookings {
    /// Only bookings at this clinic; all of them for its members and for those who run the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub clinic_id: Option<ClinicId>,
    /// Only visits that begin at this instant or later; those since yesterday at this time unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(rules::sensible_instant))]
    pub from: Option<Instant>,
}

/// A booking as it is now or has become.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct BookingItem(pub BookingState);

impl StreamItem for BookingItem {
    fn id(&self) -> Uuid {
        self.0.booking_id.into()
    }

    fn version(&self) -> i64 {
        self.0.version
    }
}

impl Stream for WatchBookings {
    const SUBJECT: &'static str = "booking.watch";
    const ACCESS: Access = Access(&[Who::SignedIn, Who::Permitted]);
    const REST: &'static [Rest] = &[Rest::get("/bookings/watch")];
    type Item = BookingItem;
    type Error = BookingError;
}
