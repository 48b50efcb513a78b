//! What happened at the vendor service. The bodies are full public states with ids only: no name of a person, no
//! address, no telephone number. From the last of each a reader can compute availability by itself, with
//! [`OpeningHours::worked_between`](super::opening::OpeningHours::worked_between).

use super::opening::OpeningHours;
use super::policy::BookingPolicy;
use super::services::{default_booking_window_days, default_slot_step_minutes};
use super::vendors::{VendorKind, VendorStatus};
use super::working::{WorkingException, WorkingInterval};
use crate::access::MembershipRole;
use crate::ids::{ClinicId, MembershipId, ServiceId, StaffId, UserId, VendorId};
use crate::money::Money;
use crate::time::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A vendor as events tell it. Whether its clinics may be booked follows from here: `status` is `approved` and it
/// is not removed; the clinics' own events do not repeat it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VendorState {
    /// The vendor.
    pub vendor_id: VendorId,
    /// What kind of business it is.
    pub kind: VendorKind,
    /// Where it stands in its approval.
    pub status: VendorStatus,
    /// True in its last event: it is gone.
    #[serde(default)]
    pub removed: bool,
    /// Its version.
    pub version: i64,
}

impl VendorState {
    /// Whether the public may see it and book at its clinics.
    pub fn is_open_for_business(&self) -> bool {
        self.status == VendorStatus::Approved && !self.removed
    }
}

/// A clinic as events tell it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClinicState {
    /// The clinic.
    pub clinic_id: ClinicId,
    /// Its vendor.
    pub vendor_id: VendorId,
    /// Its name, which is a business's.
    #[serde(default)]
    pub name: String,
    /// The zone of its wall clocks.
    pub time_zone: TimeZone,
    /// Its rules for bookings.
    #[serde(default)]
    pub policy: BookingPolicy,
    /// False: closed for the time being, or gone.
    pub active: bool,
    /// True in its last event: it is gone.
    #[serde(default)]
    pub removed: bool,
    /// Its version.
    pub version: i64,
}

/// A service as events tell it, and as `vendor.availability` answers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceState {
    /// The service.
    pub service_id: ServiceId,
    /// The clinic that offers it.
    pub clinic_id: ClinicId,
    /// The clinic's vendor.
    pub vendor_id: VendorId,
    /// Its name.
    pub name: String,
    /// How long it takes, in minutes.
    pub duration_minutes: u16,
    /// Minutes that are kept free before it.
    pub buffer_before_minutes: u16,
    /// Minutes that are kept free after it.
    pub buffer_after_minutes: u16,
    /// What it costs.
    pub price: Money,
    /// How many pets one session takes.
    pub capacity: u16,
    /// How many minutes apart the beginnings of its slots lie.
    #[serde(default = "default_slot_step_minutes")]
    pub slot_step_minutes: u16,
    /// How many minutes before the visit it is booked at the latest.
    #[serde(default)]
    pub minimum_notice_minutes: u32,
    /// How many days ahead it is booked at the earliest.
    #[serde(default = "default_booking_window_days")]
    pub booking_window_days: u16,
    /// False: not offered for the time being, or gone.
    pub active: bool,
    /// Its version.
    pub version: i64,
}

/// A staff member as events tell them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StaffState {
    /// The staff member.
    pub staff_id: StaffId,
    /// The vendor.
    pub vendor_id: VendorId,
    /// The clinics at which they work.
    pub clinic_ids: Vec<ClinicId>,
    /// The services that they perform.
    pub service_ids: Vec<ServiceId>,
    /// Their own week; absent: whenever the clinic is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Vec<WorkingInterval>>,
    /// The dates on which they work otherwise than usual, or not at all.
    #[serde(default)]
    pub exceptions: Vec<WorkingException>,
    /// False: away for the time being, or gone.
    pub active: bool,
    /// Their version.
    pub version: i64,
}

/// A clinic's schedule as events tell it. It shares the clinic's id and has a version of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoursState {
    /// The clinic.
    pub clinic_id: ClinicId,
    /// Its vendor.
    pub vendor_id: VendorId,
    /// When it is open.
    pub hours: OpeningHours,
    /// True in its last event: the clinic is gone.
    #[serde(default)]
    pub removed: bool,
    /// The schedule's version.
    pub version: i64,
}

/// A membership as events tell it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MembershipState {
    /// The membership.
    pub membership_id: MembershipId,
    /// The user.
    pub user_id: UserId,
    /// The vendor.
    pub vendor_id: VendorId,
    /// The one clinic that it is for; absent: all of the vendor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clinic_id: Option<ClinicId>,
    /// What the user may do there.
    pub role: MembershipRole,
    /// Whether it gives any rights: an invitation gives none, nor does one that was revoked.
    pub active: bool,
    /// Its version.
    pub version: i64,
}

crate::events! {
    service "vendor";
    body VendorState, id vendor_id, version version;
    /// A vendor was made.
    VendorRegistered = "vendor.registered", document "VendorRegistered";
    /// A vendor changed, was submitted, or was removed.
    VendorUpdated = "vendor.updated", document "VendorUpdated";
    /// A vendor was approved: it is open for business.
    VendorApproved = "vendor.approved";
    /// A vendor was refused.
    VendorRejected = "vendor.rejected";
    /// A vendor was taken off the platform.
    VendorSuspended = "vendor.suspended";
}

crate::events! {
    service "vendor";
    body ClinicState, id clinic_id, version version;
    /// A clinic was made, changed or removed.
    ClinicUpdated = "clinic.updated";
}

crate::events! {
    service "vendor";
    body ServiceState, id service_id, version version;
    /// A service was made or changed.
    ServiceUpdated = "service.updated", document "ClinicServicesUpdated";
    /// A service was removed.
    ServiceRemoved = "service.removed";
}

crate::events! {
    service "vendor";
    body StaffState, id staff_id, version version;
    /// A staff member was added.
    StaffAdded = "staff.added", document "StaffAdded";
    /// A staff member changed: their clinics, services, hours, or whether they are active.
    StaffUpdated = "staff.updated", document "StaffUpdated";
    /// A staff member was removed.
    StaffRemoved = "staff.removed", document "StaffRemoved";
}

crate::events! {
    service "vendor";
    body HoursState, id clinic_id, version version;
    /// The opening hours of a clinic changed; told once when a clinic is made, too.
    HoursUpdated = "hours.updated";
}

crate::events! {
    service "vendor";
    body MembershipState, id membership_id, version version;
    /// A membership was offered, accepted or changed.
    MembershipChanged = "membership.changed";
    /// A membership ended.
    MembershipRevoked = "membership.revoked";
}
