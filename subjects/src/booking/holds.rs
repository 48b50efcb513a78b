//! Holds: time that is kept for somebody for a few minutes, while they decide.

use super::errors::BookingError;
use crate::access::{Access, MembershipRole, Who};
use crate::fallback::Fallback;
use crate::ids::{ClinicId, HoldId, ServiceId, StaffId};
use crate::request::{Effect, Request, Rest};
use crate::role::Role;
use crate::rules;
use crate::time::{Instant, TimeZone};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Time that is kept for its holder until it expires, or becomes a booking with its `id` as `holdId`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// The hold's id.
    pub id: HoldId,
    /// The service.
    pub service_id: ServiceId,
    /// Its clinic.
    pub clinic_id: ClinicId,
    /// Whose time is held.
    pub staff_id: StaffId,
    /// When the visit would begin.
    pub starts_at: Instant,
    /// When it would end.
    pub ends_at: Instant,
    /// The clinic's time zone.
    pub time_zone: TimeZone,
    /// Until when the time is held.
    pub expires_at: Instant,
    /// When it was made.
    pub created_at: Instant,
}

/// Holds a slot for a few minutes, as a booking would claim it: nobody else gets the time meanwhile. One can hold a few
/// slots at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CreateHold {
    /// The service.
    #[garde(skip)]
    pub service_id: ServiceId,
    /// Who is to perform it; absent: the first free one who can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub staff_id: Option<StaffId>,
    /// When the visit would begin: a whole minute that lies ahead, for customers the beginning of a slot.
    #[garde(custom(rules::visit_start))]
    pub starts_at: Instant,
}

impl Request for CreateHold {
    const SUBJECT: &'static str = "hold.create";
    const ACCESS: Access =
        Access(&[Who::Role(Role::Customer), Who::Member(MembershipRole::ClinicStaff), Who::Permitted]);
    const EFFECT: Effect = Effect::Keyed;
    const FALLBACKS: &'static [Fallback] = &[Fallback::ScheduleCopy];
    const REST: &'static [Rest] = &[Rest::post("/bookings/holds", 201)];
    type Reply = Hold;
    type Error = BookingError;
}

/// One of the caller's own holds, while it lasts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindHold {
    /// The hold.
    #[garde(skip)]
    pub id: HoldId,
}

impl Request for FindHold {
    const SUBJECT: &'static str = "hold.findOne";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/bookings/holds/{id}")];
    type Reply = Hold;
    type Error = BookingError;
}

/// Gives held time back before it expires. Giving back what is not held any more changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseHold {
    /// The hold.
    #[garde(skip)]
    pub id: HoldId,
}

impl Request for ReleaseHold {
    const SUBJECT: &'static str = "hold.release";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Idempotent;
    const REST: &'static [Rest] = &[Rest::delete("/bookings/holds/{id}", 204)];
    type Reply = ();
    type Error = BookingError;
}
