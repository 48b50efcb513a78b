//! When the staff of a clinic can be booked.

use super::error::VendorError;
use super::events::ServiceState;
use super::opening::OpenInterval;
use super::policy::BookingPolicy;
use crate::access::Access;
use crate::ids::{ClinicId, ServiceId, StaffId, VendorId};
use crate::request::{Effect, Request};
use crate::rules;
use crate::time::TimeZone;
use chrono::NaiveDate;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many dates one question may span at the most.
pub const MAX_AVAILABILITY_DAYS: i64 = 31;

/// Asks when the staff of a clinic work between two dates, and for everything else that a booking needs to know
/// of the clinic and the service, in one call. It knows nothing of bookings: open is not the same as free.
///
/// The clinic is named by itself, by one of its services, or (as document 003 does) by its vendor, where that has
/// only one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[garde(custom(span_is_bounded))]
#[garde(custom(clinic_is_named))]
pub struct VendorAvailability {
    /// The clinic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub clinic_id: Option<ClinicId>,
    /// The service: only staff who perform it are answered, and the service itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub service_id: Option<ServiceId>,
    /// The vendor, where neither clinic nor service is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub vendor_id: Option<VendorId>,
    /// Only this staff member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub staff_id: Option<StaffId>,
    /// The first date, in the clinic's zone. Document 003 writes `date`.
    #[serde(alias = "date")]
    #[garde(custom(rules::sensible_date))]
    pub from: NaiveDate,
    /// The last date, inclusive; absent: only `from`. At most 31 dates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(rules::sensible_date_if_present))]
    pub to: Option<NaiveDate>,
}

impl VendorAvailability {
    /// The last date that is asked for, inclusive.
    pub fn last_date(&self) -> NaiveDate {
        self.to.unwrap_or(self.from)
    }
}

fn span_is_bounded(question: &VendorAvailability, _: &()) -> garde::Result {
    let days = question.last_date().signed_duration_since(question.from).num_days();
    if days < 0 {
        Err(garde::Error::new("to must not be before from"))
    } else if days >= MAX_AVAILABILITY_DAYS {
        Err(garde::Error::new("from and to must span at most 31 dates"))
    } else {
        Ok(())
    }
}

fn clinic_is_named(question: &VendorAvailability, _: &()) -> garde::Result {
    if question.clinic_id.is_some() || question.service_id.is_some() || question.vendor_id.is_some() {
        Ok(())
    } else {
        Err(garde::Error::new("one of clinicId, serviceId and vendorId is needed"))
    }
}

impl Request for VendorAvailability {
    const SUBJECT: &'static str = "vendor.availability";
    const ALIASES: &'static [&'static str] = &["getVendorAvailability"];
    const ACCESS: Access = Access::SERVICE;
    const EFFECT: Effect = Effect::Read;
    type Reply = ClinicAvailability;
    type Error = VendorError;
}

/// When the staff of a clinic work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClinicAvailability {
    /// The clinic.
    pub clinic_id: ClinicId,
    /// Its vendor.
    pub vendor_id: VendorId,
    /// The zone of its wall clocks.
    pub time_zone: TimeZone,
    /// The clinic's rules for bookings.
    #[serde(default)]
    pub policy: BookingPolicy,
    /// The version of the schedule, as `hours.updated` tells it.
    pub schedule_version: i64,
    /// Whether it takes bookings at all: the vendor is approved, the clinic active, and the service, where one
    /// was asked for, active too. Where it does not, `staff` is empty.
    pub bookable: bool,
    /// The service that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceState>,
    /// The active staff, by id: all of the clinic, or those who perform the service.
    pub staff: Vec<StaffAvailability>,
}

/// When one staff member works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaffAvailability {
    /// The staff member.
    pub staff_id: StaffId,
    /// The intervals that touch the dates asked for, in order and apart; whole, so that the first may begin before
    /// them and the last end after them ([`OpeningHours::worked_between`]).
    ///
    /// [`OpeningHours::worked_between`]: super::opening::OpeningHours::worked_between
    pub open: Vec<OpenInterval>,
}
