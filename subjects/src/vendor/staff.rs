//! Staff: those who perform a vendor's services.

use super::WRITERS;
use super::error::VendorError;
use super::opening::MAX_WEEKLY_INTERVALS;
use super::opening_rules;
use super::working::{MAX_WORKING_EXCEPTIONS, WorkingException, WorkingInterval};
use crate::access::Access;
use crate::ids::{ClinicId, ServiceId, StaffId, UserId, VendorId};
use crate::paging::{MAX_LIMIT, Page};
use crate::request::{Effect, Request, Rest};
use crate::rules;
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A staff member of a vendor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Staff {
    /// Its id.
    pub id: StaffId,
    /// The vendor.
    pub vendor_id: VendorId,
    /// The clinics at which they work.
    pub clinic_ids: Vec<ClinicId>,
    /// The services that they perform.
    pub service_ids: Vec<ServiceId>,
    /// The name that customers see.
    pub display_name: String,
    /// Title or profession, for example `drh.`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The account of the person, where they have one; only members see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Their own week, in the zone of the clinic; they work where it meets the clinic's hours. Absent: whenever
    /// the clinic is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Vec<WorkingInterval>>,
    /// The dates on which they work otherwise than usual, or not at all.
    #[serde(default)]
    pub exceptions: Vec<WorkingException>,
    /// False: away for the time being, and hidden from the public.
    pub active: bool,
    /// When they were added.
    pub created_at: Instant,
    /// When they last changed.
    pub updated_at: Instant,
    /// Counts their changes.
    pub version: i64,
}

/// The order of a list of staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum StaffSort {
    /// By name.
    #[serde(rename = "displayName")]
    DisplayName,
    /// By name, the other way round.
    #[serde(rename = "-displayName")]
    DisplayNameDescending,
    /// The latest added first.
    #[serde(rename = "-createdAt")]
    CreatedAtDescending,
}

/// Lists staff, by name unless told: of a clinic, of a vendor, or those who perform a service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindStaff {
    /// Only at this clinic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub clinic_id: Option<ClinicId>,
    /// Only of this vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub vendor_id: Option<VendorId>,
    /// Only those who perform this service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub service_id: Option<ServiceId>,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub sort: Option<StaffSort>,
    /// How many at the most; 20 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = MAX_LIMIT))]
    pub limit: Option<u16>,
    /// The `nextCursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = 500))]
    pub cursor: Option<String>,
}

impl Request for FindStaff {
    const SUBJECT: &'static str = "staff.findAll";
    const ACCESS: Access = Access::SHOWN;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/staff"), Rest::get("/clinics/{clinicId}/staff")];
    type Reply = Page<Staff>;
    type Error = VendorError;
}

/// Reads one staff member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct FindStaffMember {
    /// The staff member.
    #[serde(alias = "staffId")]
    pub id: StaffId,
}

impl Request for FindStaffMember {
    const SUBJECT: &'static str = "staff.findOne";
    const ACCESS: Access = Access::SHOWN;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/staff/{id}")];
    type Reply = Staff;
    type Error = VendorError;
}

/// Adds a staff member at a clinic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CreateStaff {
    /// The clinic.
    #[garde(skip)]
    pub clinic_id: ClinicId,
    /// The name that customers see.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 120), custom(rules::readable))]
    pub display_name: String,
    /// Title or profession.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 60), custom(rules::readable_if_present))]
    pub title: Option<String>,
    /// The services of the clinic that they perform.
    #[serde(default)]
    #[garde(length(max = 200), custom(rules::distinct))]
    pub service_ids: Vec<ServiceId>,
    /// The account of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub user_id: Option<UserId>,
    /// Their own week; absent: whenever the clinic is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = MAX_WEEKLY_INTERVALS), custom(opening_rules::working_week_apart_if_present))]
    pub hours: Option<Vec<WorkingInterval>>,
    /// The dates on which they work otherwise than usual, or not at all; each at most once.
    #[serde(default)]
    #[garde(length(max = MAX_WORKING_EXCEPTIONS), dive, custom(opening_rules::working_exceptions_on_distinct_dates))]
    pub exceptions: Vec<WorkingException>,
}

impl Request for CreateStaff {
    const SUBJECT: &'static str = "staff.create";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::post("/clinics/{clinicId}/staff", 201), Rest::post("/staff", 201)];
    type Reply = Staff;
    type Error = VendorError;
}

/// Replaces what is known of a staff member; what is left out is cleared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct UpdateStaff {
    /// The staff member.
    #[garde(skip)]
    pub id: StaffId,
    /// The name that customers see.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 120), custom(rules::readable))]
    pub display_name: String,
    /// Title or profession.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 60), custom(rules::readable_if_present))]
    pub title: Option<String>,
    /// The clinics of the vendor at which they work.
    #[garde(length(max = 50), custom(rules::distinct))]
    pub clinic_ids: Vec<ClinicId>,
    /// The services of those clinics that they perform.
    #[garde(length(max = 200), custom(rules::distinct))]
    pub service_ids: Vec<ServiceId>,
    /// The account of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub user_id: Option<UserId>,
    /// Their own week; absent: whenever the clinic is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = MAX_WEEKLY_INTERVALS), custom(opening_rules::working_week_apart_if_present))]
    pub hours: Option<Vec<WorkingInterval>>,
    /// The dates on which they work otherwise than usual, or not at all; each at most once.
    #[serde(default)]
    #[garde(length(max = MAX_WORKING_EXCEPTIONS), dive, custom(opening_rules::working_exceptions_on_distinct_dates))]
    pub exceptions: Vec<WorkingException>,
    /// False: away for the time being, and hidden from the public.
    #[garde(skip)]
    pub active: bool,
}

impl Request for UpdateStaff {
    const SUBJECT: &'static str = "staff.update";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::put("/staff/{id}")];
    type Reply = Staff;
    type Error = VendorError;
}

/// Removes a staff member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct RemoveStaff {
    /// The staff member.
    pub id: StaffId,
}

impl Request for RemoveStaff {
    const SUBJECT: &'static str = "staff.remove";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::delete("/staff/{id}", 204)];
    type Reply = ();
    type Error = VendorError;
}
