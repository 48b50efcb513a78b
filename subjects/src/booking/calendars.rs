//! Calendars: bookings as iCalendar (RFC 5545), read by other programs at a secret address.

use super::errors::BookingError;
use crate::access::{Access, MembershipRole, Who};
use crate::ids::{CalendarId, ClinicId, StaffId};
use crate::paging::{MAX_LIMIT, Page};
use crate::request::{Effect, Request, Rest};
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A calendar of somebody's bookings. Who knows its address reads it without signing in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Calendar {
    /// The calendar's id.
    pub id: CalendarId,
    /// The clinic whose bookings it shows; absent: the caller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clinic_id: Option<ClinicId>,
    /// Only the bookings of this staff member of the clinic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff_id: Option<StaffId>,
    /// When it was made.
    pub created_at: Instant,
}

/// A calendar with its address, which is told once: only a digest of it is kept.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewCalendar {
    /// The calendar's id, under which it can be removed.
    pub id: CalendarId,
    /// The path at which it is read, below the platform's own address: `/calendars/<token>.ics`. A secret.
    pub path: String,
    /// The clinic whose bookings it shows; absent: the caller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clinic_id: Option<ClinicId>,
    /// Only the bookings of this staff member of the clinic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff_id: Option<StaffId>,
    /// When it was made.
    pub created_at: Instant,
}

/// Without the address, so that it does not get into logs.
impl fmt::Debug for NewCalendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCalendar").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Makes a calendar of the caller's own bookings, or of those of a clinic at which the caller works.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CreateCalendar {
    /// The clinic whose bookings it is to show; absent: the caller's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub clinic_id: Option<ClinicId>,
    /// Only the bookings of this staff member of the clinic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(needs_a_clinic(self.clinic_id.is_some())))]
    pub staff_id: Option<StaffId>,
}

fn needs_a_clinic(has_clinic: bool) -> impl FnOnce(&Option<StaffId>, &()) -> garde::Result {
    move |staff_id, ()| match staff_id {
        Some(_) if !has_clinic => Err(garde::Error::new("say at which clinic, too, in clinicId")),
        _ => Ok(()),
    }
}

impl Request for CreateCalendar {
    const SUBJECT: &'static str = "calendar.create";
    // Of a clinic only for those who work there.
    const ACCESS: Access = Access(&[Who::SignedIn, Who::Member(MembershipRole::ClinicStaff)]);
    // Its answer holds a secret, which must not be stored for a repetition.
    const EFFECT: Effect = Effect::Once;
    const REST: &'static [Rest] = &[Rest::post("/bookings/calendars", 201)];
    type Reply = NewCalendar;
    type Error = BookingError;
}

/// The caller's calendars, the latest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindCalendars {
    /// How many at the most; 20 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = MAX_LIMIT))]
    pub limit: Option<u16>,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 512))]
    pub cursor: Option<String>,
}

impl Request for FindCalendars {
    const SUBJECT: &'static str = "calendar.findAll";
    const ACCESS: Access = Access::SIGNED_IN;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/bookings/calendars")];
    type Reply = Page<Calendar>;
    type Error = BookingError;
}

/// Removes a calendar: its address leads nowhere from then on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct RemoveCalendar {
    /// The calendar.
    #[garde(skip)]
    pub id: CalendarId,
}

impl Request for RemoveCalendar {
    const SUBJECT: &'static str = "calendar.remove";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Idempotent;
    const REST: &'static [Rest] = &[Rest::delete("/bookings/calendars/{id}", 204)];
    type Reply = ();
    type Error = BookingError;
}

/// A calendar as iCalendar (RFC 5545), for whoever knows its secret address: the bookings of the last 30 days and of
/// all that is to come, at most 2,000 of them.
///
/// Every booking keeps its UID, and its SEQUENCE rises with each change. Times are those of the clinic's clocks.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct ReadCalendar {
    /// The secret in the calendar's address: 43 characters of base64url.
    #[garde(length(bytes, min = 43, max = 43), pattern(r"^[A-Za-z0-9_-]*$"))]
    pub token: String,
}

/// Without the secret, so that it does not get into logs.
impl fmt::Debug for ReadCalendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadCalendar").finish_non_exhaustive()
    }
}

impl Request for ReadCalendar {
    const SUBJECT: &'static str = "calendar.feed";
    const ACCESS: Access = Access::PUBLIC;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] =
        &[Rest::get("/calendars/{token}.ics").unversioned().as_text("text/calendar; charset=utf-8")];
    type Reply = CalendarFeed;
    type Error = BookingError;
}

/// The text of a calendar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CalendarFeed {
    /// iCalendar, lines ended by CRLF.
    pub text: String,
}
