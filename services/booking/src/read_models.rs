//! What the events of vendor and profile tell, kept as read models. Any order of events leads to the same rows: the
//! highest version stays.
//!
//! A change of a schedule is stored under the vendor's lock and marks the bookings that it may touch. Whoever claims
//! time holds the lock, too, though not alone: either the change is stored first, and the new booking is marked because
//! it was made so soon after, or the booking is there first, and the change marks it.

use crate::app::BookingApp;
use crate::entity::clinics::Policy;
use crate::entity::pets::UserIds;
use crate::entity::service_availability::Hours;
use crate::entity::staff::{ClinicIds, Exceptions, OwnWeek, ServiceIds};
use crate::entity::{clinics, pets, service_availability, services, staff, vendors};
use crate::repo::schedule_changes::{self, Touched};
use store::{Tx, memberships, store_if_newer};
use subjects::Fault;
use subjects::ids::VendorId;
use subjects::profile::{PetCreated, PetRemoved, PetState, PetUpdated};
use subjects::vendor::{
    ClinicState, ClinicUpdated, HoursState, HoursUpdated, MembershipChanged, MembershipRevoked, ServiceRemoved,
    ServiceState, ServiceUpdated, StaffAdded, StaffRemoved, StaffState, StaffUpdated, VendorApproved, VendorRegistered,
    VendorRejected, VendorState, VendorSuspended, VendorUpdated,
};

store::read_models! { BookingApp =>
    vendor_registered: VendorRegistered => store_vendor;
    vendor_updated: VendorUpdated => store_vendor;
    vendor_approved: VendorApproved => store_vendor;
    vendor_rejected: VendorRejected => store_vendor;
    vendor_suspended: VendorSuspended => store_vendor;
    clinic_updated: ClinicUpdated => store_clinic;
    service_updated: ServiceUpdated => store_service;
    service_removed: ServiceRemoved => remove_service;
    staff_added: StaffAdded => store_staff;
    staff_updated: StaffUpdated => store_staff;
    staff_removed: StaffRemoved => remove_staff;
    hours_updated: HoursUpdated => store_hours;
    membership_changed: MembershipChanged => memberships::store;
    membership_revoked: MembershipRevoked => memberships::revoke;
    pet_created: PetCreated => store_pet;
    pet_updated: PetUpdated => store_pet;
    pet_removed: PetRemoved => store_pet;
}

/// Notes what was stored. What was known already, or is older, has been noted before.
async fn note_if(stored: bool, tx: &Tx, vendor_id: VendorId, touched: Touched) -> Result<(), Fault> {
    if stored {
        schedule_changes::note(tx, vendor_id, touched).await?;
    }
    Ok(())
}

async fn store_vendor(tx: &Tx, state: VendorState) -> Result<(), Fault> {
    let open_for_business = state.is_open_for_business();
    let VendorState { vendor_id, kind: _, status: _, removed, version } = state;
    let removed_at = removed.then(store::now);
    let row = vendors::Model { id: vendor_id, version, removed_at, open_for_business };
    schedule_changes::lock(tx, vendor_id).await?;
    let stored = store_if_newer::<vendors::Entity, _>(tx, row, vendors::Column::Id, vendors::Column::Version).await?;
    note_if(stored, tx, vendor_id, Touched::Vendor).await
}

async fn store_clinic(tx: &Tx, state: ClinicState) -> Result<(), Fault> {
    let ClinicState { clinic_id, vendor_id, name, time_zone, policy, active, removed, version } = state;
    let removed_at = removed.then(store::now);
    let time_zone = time_zone.name().to_owned();
    let policy = Policy(policy);
    let row = clinics::Model { id: clinic_id, version, removed_at, vendor_id, name, time_zone, policy, active };
    schedule_changes::lock(tx, vendor_id).await?;
    let stored = store_if_newer::<clinics::Entity, _>(tx, row, clinics::Column::Id, clinics::Column::Version).await?;
    note_if(stored, tx, vendor_id, Touched::Clinic(clinic_id)).await
}

async fn store_service(tx: &Tx, state: ServiceState) -> Result<(), Fault> {
    store_service_row(tx, state, false).await
}

async fn remove_service(tx: &Tx, state: ServiceState) -> Result<(), Fault> {
    store_service_row(tx, state, true).await
}

async fn store_service_row(tx: &Tx, state: ServiceState, removed: bool) -> Result<(), Fault> {
    let ServiceState {
        service_id,
        clinic_id,
        vendor_id,
        name,
        duration_minutes,
        buffer_before_minutes,
        buffer_after_minutes,
        price,
        capacity,
        slot_step_minutes,
        minimum_notice_minutes,
        booking_window_days,
        active,
        version,
    } = state;
    let row = services::Model {
        id: service_id,
        version,
        removed_at: removed.then(store::now),
        vendor_id,
        clinic_id,
        name,
        duration_minutes: i32::from(duration_minutes),
        buffer_before_minutes: i32::from(buffer_before_minutes),
        buffer_after_minutes: i32::from(buffer_after_minutes),
        capacity: i32::from(capacity),
        price_amount: price.amount,
        price_currency: price.currency.as_str().to_owned(),
        slot_step_minutes: i32::from(slot_step_minutes),
        minimum_notice_minutes: i32::try_from(minimum_notice_minutes).map_err(Fault::internal)?,
        booking_window_days: i32::from(booking_window_days),
        active,
    };
    schedule_changes::lock(tx, vendor_id).await?;
    let stored =
        store_if_newer::<services::Entity, _>(tx, row, services::Column::Id, services::Column::Version).await?;
    note_if(stored, tx, vendor_id, Touched::Service(service_id)).await
}

async fn store_staff(tx: &Tx, state: StaffState) -> Result<(), Fault> {
    store_staff_row(tx, state, false).await
}

async fn remove_staff(tx: &Tx, state: StaffState) -> Result<(), Fault> {
    store_staff_row(tx, state, true).await
}

async fn store_staff_row(tx: &Tx, state: StaffState, removed: bool) -> Result<(), Fault> {
    let StaffState { staff_id, vendor_id, clinic_ids, service_ids, hours, exceptions, active, version } = state;
    let row = staff::Model {
        id: staff_id,
        version,
        removed_at: removed.then(store::now),
        vendor_id,
        clinic_ids: ClinicIds(clinic_ids),
        service_ids: ServiceIds(service_ids),
        hours: hours.map(OwnWeek),
        exceptions: Exceptions(exceptions),
        active,
    };
    schedule_changes::lock(tx, vendor_id).await?;
    let stored = store_if_newer::<staff::Entity, _>(tx, row, staff::Column::Id, staff::Column::Version).await?;
    note_if(stored, tx, vendor_id, Touched::Staff(staff_id)).await
}

async fn store_hours(tx: &Tx, state: HoursState) -> Result<(), Fault> {
    use service_availability::Column;
    let HoursState { clinic_id, vendor_id, hours, version } = state;
    let hours = Hours(hours);
    let row = service_availability::Model { id: clinic_id, version, removed_at: None, vendor_id, hours };
    schedule_changes::lock(tx, vendor_id).await?;
    let stored = store_if_newer::<service_availability::Entity, _>(tx, row, Column::Id, Column::Version).await?;
    note_if(stored, tx, vendor_id, Touched::Clinic(clinic_id)).await
}

async fn store_pet(tx: &Tx, state: PetState) -> Result<(), Fault> {
    let PetState { pet_id, owner_id, species: _, shared_with, removed, version } = state;
    let removed_at = removed.then(store::now);
    let row = pets::Model { id: pet_id, version, removed_at, owner_id, shared_with: UserIds(shared_with) };
    store_if_newer::<pets::Entity, _>(tx, row, pets::Column::Id, pets::Column::Version).await?;
    Ok(())
}
