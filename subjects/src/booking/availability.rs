//! Free slots.

use super::errors::BookingError;
use crate::access::Access;
use crate::fallback::Fallback;
use crate::ids::{ClinicId, ServiceId, StaffId, VendorId};
use crate::money::Money;
use crate::request::{Effect, Request, Rest};
use crate::rules;
use crate::time::{Instant, TimeZone};
use chrono::{DateTime, FixedOffset, NaiveDate};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most days that one question may span.
pub const MAX_DAYS: i64 = 31;

/// The free slots on some days, the earliest first: of a service, of every service of a clinic, or of every service
/// that a staff member performs, at all of their clinics.
///
/// Days are those of the clinic's calendar. What is too soon or too far ahead for a service is not shown. A service
/// that takes no bookings, or whose clinic or vendor takes none, is not found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[garde(custom(something_is_named))]
pub struct FindAvailability {
    /// The service. One of `serviceId`, `clinicId` and `staffId` must be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub service_id: Option<ServiceId>,
    /// The clinic; beside a service they must agree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub clinic_id: Option<ClinicId>,
    /// The vendor, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub vendor_id: Option<VendorId>,
    /// The staff member; beside a service or clinic, only with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub staff_id: Option<StaffId>,
    /// The first day, `YYYY-MM-DD` in the clinic's time zone. Document 003 calls it `date`.
    #[serde(alias = "date")]
    #[garde(custom(rules::sensible_date))]
    pub from: NaiveDate,
    /// The last day; absent: the first day only. At most 31 days in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(not_before_and_in_range(self.from)))]
    pub to: Option<NaiveDate>,
    /// How many slots at the most: 1 to 500, which is also what one gets unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 500))]
    pub limit: Option<u16>,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 512))]
    pub cursor: Option<String>,
}

fn something_is_named(question: &FindAvailability, _: &()) -> garde::Result {
    let FindAvailability { service_id, clinic_id, staff_id, .. } = question;
    if service_id.is_some() || clinic_id.is_some() || staff_id.is_some() {
        Ok(())
    } else {
        Err(garde::Error::new("one of serviceId, clinicId and staffId is needed"))
    }
}

fn not_before_and_in_range(from: NaiveDate) -> impl FnOnce(&Option<NaiveDate>, &()) -> garde::Result {
    move |to, ()| {
        let days = to.map_or(1, |to| to.signed_duration_since(from).num_days() + 1);
        match days {
            1..=MAX_DAYS => Ok(()),
            ..1 => Err(garde::Error::new("the last day lies before the first")),
            _ => Err(garde::Error::new("more than 31 days")),
        }
    }
}

impl Request for FindAvailability {
    const SUBJECT: &'static str = "availability.findAll";
    const ALIASES: &'static [&'static str] = &["check-availability"];
    const ACCESS: Access = Access::PUBLIC;
    const EFFECT: Effect = Effect::Read;
    const FALLBACKS: &'static [Fallback] = &[Fallback::ScheduleCopy];
    const REST: &'static [Rest] = &[Rest::get("/bookings/availability")];
    type Reply = Availability;
    type Error = BookingError;
}

/// Free slots, and the services that they are of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Availability {
    /// The services that were looked at, by id.
    pub services: Vec<AvailableService>,
    /// The slots, the earliest first.
    pub items: Vec<Slot>,
    /// Opaque; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A service of which slots are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AvailableService {
    /// The service.
    pub service_id: ServiceId,
    /// Its clinic.
    pub clinic_id: ClinicId,
    /// Its name.
    pub name: String,
    /// The clinic's time zone.
    pub time_zone: TimeZone,
    /// How long a visit takes, in minutes.
    pub duration_minutes: u16,
    /// What it costs.
    pub price: Money,
}

/// A time at which a service can be booked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Slot {
    /// The service.
    pub service_id: ServiceId,
    /// When the visit begins; `startsAt` of the booking.
    pub starts_at: Instant,
    /// When it ends.
    pub ends_at: Instant,
    /// When it begins by the clinic's clocks, with their offset from UTC at that time.
    pub local_starts_at: DateTime<FixedOffset>,
    /// The staff members who are free for it.
    pub staff_ids: Vec<StaffId>,
}
