//! What is known of vendors' schedules.
//!
//! A change of a schedule is stored under the vendor's lock and marks the bookings that it may touch. Whoever claims
//! time holds the lock, too, though not alone: either the change is stored first, and the new booking is marked because
//! it was made so soon after, or the booking is there first, and the change marks it. The lock is not held for more than
//! one row.

use crate::entity::clinics::Policy;
use crate::entity::service_availability::Hours;
use crate::entity::staff::{ClinicIds, Exceptions, OwnWeek, ServiceIds};
use crate::entity::{clinics, service_availability, services, staff, vendors};
use crate::repo::schedule_changes::{self, Touched};
use store::{ReadModel, Replaces, Tx, store_row};
use subjects::Fault;
use subjects::ids::VendorId;
use subjects::vendor::{
    ClinicSnapshot, ClinicState, HoursSnapshot, HoursState, ServiceSnapshot, ServiceState, StaffSnapshot, StaffState,
    VendorSnapshot, VendorState,
};

/// Stores a row of what is a vendor's, and notes it where it was stored. What was known already, or is older, has been
/// noted before.
async fn store_under_lock<M: ReadModel>(
    tx: &Tx,
    row: M::Model,
    replaces: Replaces,
    vendor_id: VendorId,
    touched: Touched,
) -> Result<(), Fault> {
    schedule_changes::lock(tx, vendor_id).await?;
    if store_row::<M>(tx, row, replaces).await? {
        schedule_changes::note(tx, vendor_id, touched).await?;
    }
    Ok(())
}

impl ReadModel for vendors::Entity {
    type Snapshot = VendorSnapshot;
    const ROWS_PER_TRANSACTION: usize = 1;

    fn row(state: VendorState, is_removed: bool) -> Result<Option<vendors::Model>, Fault> {
        let open_for_business = state.is_open_for_business() && !is_removed;
        let VendorState { vendor_id, kind: _, status: _, removed, version } = state;
        let removed_at = (removed || is_removed).then(store::now);
        Ok(Some(vendors::Model { id: vendor_id, version, removed_at, open_for_business }))
    }

    fn gone(row: vendors::Model) -> vendors::Model {
        vendors::Model { open_for_business: false, ..row }
    }

    async fn store(tx: &Tx, row: vendors::Model, replaces: Replaces) -> Result<(), Fault> {
        let vendor_id = row.id;
        store_under_lock::<Self>(tx, row, replaces, vendor_id, Touched::Vendor).await
    }
}

impl ReadModel for clinics::Entity {
    type Snapshot = ClinicSnapshot;
    const ROWS_PER_TRANSACTION: usize = 1;

    fn row(state: ClinicState, is_removed: bool) -> Result<Option<clinics::Model>, Fault> {
        let ClinicState { clinic_id, vendor_id, name, time_zone, policy, active, removed, version } = state;
        let removed_at = (removed || is_removed).then(store::now);
        let time_zone = time_zone.name().to_owned();
        let policy = Policy(policy);
        Ok(Some(clinics::Model { id: clinic_id, version, removed_at, vendor_id, name, time_zone, policy, active }))
    }

    fn gone(row: clinics::Model) -> clinics::Model {
        clinics::Model { active: false, ..row }
    }

    async fn store(tx: &Tx, row: clinics::Model, replaces: Replaces) -> Result<(), Fault> {
        let (vendor_id, touched) = (row.vendor_id, Touched::Clinic(row.id));
        store_under_lock::<Self>(tx, row, replaces, vendor_id, touched).await
    }
}

impl ReadModel for services::Entity {
    type Snapshot = ServiceSnapshot;
    const ROWS_PER_TRANSACTION: usize = 1;

    fn row(state: ServiceState, removed: bool) -> Result<Option<services::Model>, Fault> {
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
        Ok(Some(services::Model {
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
        }))
    }

    fn gone(row: services::Model) -> services::Model {
        services::Model { active: false, ..row }
    }

    async fn store(tx: &Tx, row: services::Model, replaces: Replaces) -> Result<(), Fault> {
        let (vendor_id, touched) = (row.vendor_id, Touched::Service(row.id));
        store_under_lock::<Self>(tx, row, replaces, vendor_id, touched).await
    }
}

impl ReadModel for staff::Entity {
    type Snapshot = StaffSnapshot;
    const ROWS_PER_TRANSACTION: usize = 1;

    fn row(state: StaffState, removed: bool) -> Result<Option<staff::Model>, Fault> {
        let StaffState { staff_id, vendor_id, clinic_ids, service_ids, hours, exceptions, active, version } = state;
        Ok(Some(staff::Model {
            id: staff_id,
            version,
            removed_at: removed.then(store::now),
            vendor_id,
            clinic_ids: ClinicIds(clinic_ids),
            service_ids: ServiceIds(service_ids),
            hours: hours.map(OwnWeek),
            exceptions: Exceptions(exceptions),
            active,
        }))
    }

    fn gone(row: staff::Model) -> staff::Model {
        staff::Model { active: false, ..row }
    }

    async fn store(tx: &Tx, row: staff::Model, replaces: Replaces) -> Result<(), Fault> {
        let (vendor_id, touched) = (row.vendor_id, Touched::Staff(row.id));
        store_under_lock::<Self>(tx, row, replaces, vendor_id, touched).await
    }
}

impl ReadModel for service_availability::Entity {
    type Snapshot = HoursSnapshot;
    const ROWS_PER_TRANSACTION: usize = 1;

    fn row(state: HoursState, is_removed: bool) -> Result<Option<service_availability::Model>, Fault> {
        let HoursState { clinic_id, vendor_id, hours, removed, version } = state;
        let removed_at = (removed || is_removed).then(store::now);
        let hours = Hours(hours);
        Ok(Some(service_availability::Model { id: clinic_id, version, removed_at, vendor_id, hours }))
    }

    async fn store(tx: &Tx, row: service_availability::Model, replaces: Replaces) -> Result<(), Fault> {
        let (vendor_id, touched) = (row.vendor_id, Touched::Clinic(row.id));
        store_under_lock::<Self>(tx, row, replaces, vendor_id, touched).await
    }
}
