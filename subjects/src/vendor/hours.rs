//! The opening hours of a clinic. They are an aggregate of their own that shares the clinic's id, with a version
//! of its own: the version of the schedule.

use super::WRITERS;
use super::error::VendorError;
use super::opening::{HourException, MAX_EXCEPTIONS, MAX_WEEKLY_INTERVALS, OpeningHours, WeeklyInterval};
use super::opening_rules;
use crate::access::Access;
use crate::ids::{ClinicId, VendorId};
use crate::request::{Effect, Request, Rest};
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The schedule of a clinic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Schedule {
    /// The clinic.
    pub clinic_id: ClinicId,
    /// Its vendor.
    pub vendor_id: VendorId,
    /// When it is open.
    pub hours: OpeningHours,
    /// When the schedule last changed.
    pub updated_at: Instant,
    /// Counts the schedule's changes, apart from the clinic's.
    pub version: i64,
}

/// Reads when a clinic is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub struct FindHours {
    /// The clinic.
    #[serde(alias = "id")]
    pub clinic_id: ClinicId,
}

impl Request for FindHours {
    const SUBJECT: &'static str = "hours.findOne";
    const ACCESS: Access = Access::SHOWN;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/clinics/{clinicId}/hours")];
    type Reply = Schedule;
    type Error = VendorError;
}

/// Replaces when a clinic is open: the usual week, and the dates on which it is otherwise. All times are wall
/// clocks in the clinic's zone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct UpdateHours {
    /// The clinic.
    #[garde(skip)]
    pub clinic_id: ClinicId,
    /// The usual week. Several intervals a day are possible; none may overlap.
    #[garde(length(max = MAX_WEEKLY_INTERVALS), custom(opening_rules::weekly_intervals_apart))]
    pub weekly: Vec<WeeklyInterval>,
    /// The dates on which it is otherwise, each at most once.
    #[serde(default)]
    #[garde(length(max = MAX_EXCEPTIONS), dive, custom(opening_rules::exceptions_on_distinct_dates))]
    pub exceptions: Vec<HourException>,
}

impl Request for UpdateHours {
    const SUBJECT: &'static str = "hours.update";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::put("/clinics/{clinicId}/hours")];
    type Reply = Schedule;
    type Error = VendorError;
}
