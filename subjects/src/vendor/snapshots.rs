//! Snapshots of what the vendor service owns, from which others build their read models.

use super::events::{ClinicState, HoursState, MembershipState, ServiceState, StaffState, VendorState};

crate::snapshots! {
    service "vendor";
    /// All vendors.
    VendorSnapshot = "vendor.snapshot" of VendorState, id vendor_id;
    /// All clinics.
    ClinicSnapshot = "clinic.snapshot" of ClinicState, id clinic_id;
    /// All services.
    ServiceSnapshot = "service.snapshot" of ServiceState, id service_id;
    /// All staff.
    StaffSnapshot = "staff.snapshot" of StaffState, id staff_id;
    /// The opening hours of all clinics.
    HoursSnapshot = "hours.snapshot" of HoursState, id clinic_id;
    /// All memberships, those that ended among them.
    MembershipSnapshot = "membership.snapshot" of MembershipState, id membership_id;
}
