//! What vendor and profile tell, kept as read models. Any order of events leads to the same rows: the highest version
//! stays.

mod pets;
mod schedule;

use crate::app::BookingApp;
use crate::entity::{clinics, pets as pet_rows, service_availability, services, staff, vendors};
use store::{ReadModels, keep, keep_removed, memberships, roles};
use subjects::auth::{RoleRemoved, RoleUpdated};
use subjects::profile::{PetCreated, PetRemoved, PetUpdated};
use subjects::vendor::{
    ClinicUpdated, HoursUpdated, MembershipChanged, MembershipRevoked, ServiceRemoved, ServiceUpdated, StaffAdded,
    StaffRemoved, StaffUpdated, VendorApproved, VendorRegistered, VendorRejected, VendorSuspended, VendorUpdated,
};

/// Every read model.
pub fn all() -> ReadModels<BookingApp> {
    ReadModels::none()
        .and::<vendors::Entity>()
        .and::<clinics::Entity>()
        .and::<services::Entity>()
        .and::<staff::Entity>()
        .and::<service_availability::Entity>()
        .and::<memberships::Entity>()
        .and::<roles::Entity>()
        .and::<pet_rows::Entity>()
}

store::read_models! { BookingApp =>
    vendor_registered: VendorRegistered => keep::<vendors::Entity>;
    vendor_updated: VendorUpdated => keep::<vendors::Entity>;
    vendor_approved: VendorApproved => keep::<vendors::Entity>;
    vendor_rejected: VendorRejected => keep::<vendors::Entity>;
    vendor_suspended: VendorSuspended => keep::<vendors::Entity>;
    clinic_updated: ClinicUpdated => keep::<clinics::Entity>;
    service_updated: ServiceUpdated => keep::<services::Entity>;
    service_removed: ServiceRemoved => keep_removed::<services::Entity>;
    staff_added: StaffAdded => keep::<staff::Entity>;
    staff_updated: StaffUpdated => keep::<staff::Entity>;
    staff_removed: StaffRemoved => keep_removed::<staff::Entity>;
    hours_updated: HoursUpdated => keep::<service_availability::Entity>;
    role_updated: RoleUpdated => keep::<roles::Entity>;
    role_removed: RoleRemoved => keep_removed::<roles::Entity>;
    membership_changed: MembershipChanged => keep::<memberships::Entity>;
    membership_revoked: MembershipRevoked => keep_removed::<memberships::Entity>;
    pet_created: PetCreated => keep::<pet_rows::Entity>;
    pet_updated: PetUpdated => keep::<pet_rows::Entity>;
    pet_removed: PetRemoved => keep_removed::<pet_rows::Entity>;
}
