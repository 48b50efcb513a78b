//! Messages of the vendor service: vendors and their approval, memberships, clinics, services, staff, opening
//! hours, and when all that can be booked.

pub mod approval;
pub mod availability;
pub mod clinics;
pub mod error;
pub mod events;
pub mod hours;
pub mod memberships;
pub mod opening;
mod opening_rules;
pub mod policy;
pub mod services;
pub mod snapshots;
pub mod staff;
pub mod vendors;
pub mod wall_time;
pub mod working;

pub use approval::{ApproveVendor, RejectVendor, SubmitVendor, SuspendVendor};
pub use availability::{ClinicAvailability, MAX_AVAILABILITY_DAYS, StaffAvailability, VendorAvailability};
pub use clinics::{
    Address, Clinic, ClinicSort, Coordinates, CreateClinic, FindClinic, FindClinics, RemoveClinic, UpdateClinic,
};
pub use error::VendorError;
pub use events::{
    ClinicState, ClinicUpdated, HoursState, HoursUpdated, MembershipChanged, MembershipRevoked, MembershipState,
    ServiceRemoved, ServiceState, ServiceUpdated, StaffAdded, StaffRemoved, StaffState, StaffUpdated, VendorApproved,
    VendorRegistered, VendorRejected, VendorState, VendorSuspended, VendorUpdated,
};
pub use hours::{FindHours, Schedule, UpdateHours};
pub use memberships::{
    AcceptMembership, FindMemberships, InviteMember, Membership, MembershipSort, MembershipStatus, RevokeMembership,
    UpdateMembership,
};
pub use opening::{DayInterval, HourException, OpenInterval, OpeningHours, Weekday, WeeklyInterval};
pub use policy::BookingPolicy;
pub use services::{CreateService, FindService, FindServices, RemoveService, Service, ServiceSort, UpdateService};
pub use snapshots::{
    ClinicSnapshot, HoursSnapshot, MembershipSnapshot, ServiceSnapshot, StaffSnapshot, VendorSnapshot,
};
pub use staff::{CreateStaff, FindStaff, FindStaffMember, RemoveStaff, Staff, StaffSort, UpdateStaff};
pub use vendors::{
    CreateVendor, FindVendor, FindVendors, NewOwner, RegisterVendor, RegisteredVendor, RemoveVendor, UpdateVendor,
    Vendor, VendorKind, VendorSort, VendorStatus,
};
pub use wall_time::WallTime;
pub use working::{OwnHours, WorkingException, WorkingInterval};

use crate::access::{Access, MembershipRole, Who};
use crate::audit::FindAuditEntriesOfVendor;
use crate::operation::{EventType, Operation};
use crate::privacy::{ErasePersonFromVendor, ExportPersonOfVendor};

/// Who may write what belongs to a vendor: those who run it, and those who run the platform. Every handler
/// checks the membership on the row.
const WRITERS: Access = Access(&[Who::Member(MembershipRole::ClinicAdmin), Who::Permitted]);

/// Every operation of the vendor service.
pub const OPERATIONS: &[Operation] = &[
    Operation::of::<FindVendors>("vendor"),
    Operation::of::<FindVendor>("vendor"),
    Operation::of::<RegisterVendor>("vendor"),
    Operation::of::<CreateVendor>("vendor"),
    Operation::of::<UpdateVendor>("vendor"),
    Operation::of::<RemoveVendor>("vendor"),
    Operation::of::<SubmitVendor>("vendor"),
    Operation::of::<ApproveVendor>("vendor"),
    Operation::of::<RejectVendor>("vendor"),
    Operation::of::<SuspendVendor>("vendor"),
    Operation::of::<VendorAvailability>("vendor"),
    Operation::of::<FindMemberships>("vendor"),
    Operation::of::<InviteMember>("vendor"),
    Operation::of::<AcceptMembership>("vendor"),
    Operation::of::<UpdateMembership>("vendor"),
    Operation::of::<RevokeMembership>("vendor"),
    Operation::of::<FindClinics>("vendor"),
    Operation::of::<FindClinic>("vendor"),
    Operation::of::<CreateClinic>("vendor"),
    Operation::of::<UpdateClinic>("vendor"),
    Operation::of::<RemoveClinic>("vendor"),
    Operation::of::<FindServices>("vendor"),
    Operation::of::<FindService>("vendor"),
    Operation::of::<CreateService>("vendor"),
    Operation::of::<UpdateService>("vendor"),
    Operation::of::<RemoveService>("vendor"),
    Operation::of::<FindStaff>("vendor"),
    Operation::of::<FindStaffMember>("vendor"),
    Operation::of::<CreateStaff>("vendor"),
    Operation::of::<UpdateStaff>("vendor"),
    Operation::of::<RemoveStaff>("vendor"),
    Operation::of::<FindHours>("vendor"),
    Operation::of::<UpdateHours>("vendor"),
    Operation::of::<VendorSnapshot>("vendor"),
    Operation::of::<ClinicSnapshot>("vendor"),
    Operation::of::<ServiceSnapshot>("vendor"),
    Operation::of::<StaffSnapshot>("vendor"),
    Operation::of::<HoursSnapshot>("vendor"),
    Operation::of::<MembershipSnapshot>("vendor"),
    Operation::of::<ExportPersonOfVendor>("vendor"),
    Operation::of::<ErasePersonFromVendor>("vendor"),
    Operation::of::<FindAuditEntriesOfVendor>("vendor"),
];

/// Every event of the vendor service.
pub const EVENTS: &[EventType] = &[
    EventType::of::<VendorRegistered>(),
    EventType::of::<VendorUpdated>(),
    EventType::of::<VendorApproved>(),
    EventType::of::<VendorRejected>(),
    EventType::of::<VendorSuspended>(),
    EventType::of::<ClinicUpdated>(),
    EventType::of::<ServiceUpdated>(),
    EventType::of::<ServiceRemoved>(),
    EventType::of::<StaffAdded>(),
    EventType::of::<StaffUpdated>(),
    EventType::of::<StaffRemoved>(),
    EventType::of::<HoursUpdated>(),
    EventType::of::<MembershipChanged>(),
    EventType::of::<MembershipRevoked>(),
];
