//! Clinics.

use crate::entity::clinic::{ActiveModel, Column, Entity, Model};
use crate::entity::{membership, service, vendor};
use crate::replies;
use crate::repo::{failed, hours, memberships, services, staff, whole};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, ModelTrait, QueryFilter,
    QueryOrder, QuerySelect, Statement,
};
use store::{ResultExt as _, Tx};
use subjects::Fault;
use subjects::ids::{ClinicId, VendorId};
use subjects::time::{Instant, TimeZone};
use subjects::vendor::{
    Address, BookingPolicy, ClinicState, ClinicUpdated, Coordinates, CreateClinic, HoursState, HoursUpdated,
    MembershipStatus, OpeningHours, UpdateClinic, VendorError,
};

/// What is known of a clinic.
#[derive(Debug, Clone)]
pub struct ClinicProfile {
    /// Name.
    pub name: String,
    /// What it says of itself.
    pub description: Option<String>,
    /// Telephone number for customers.
    pub phone: Option<String>,
    /// Where it is.
    pub address: Address,
    /// Where it is on the globe.
    pub coordinates: Option<Coordinates>,
    /// The zone of its wall clocks.
    pub time_zone: TimeZone,
    /// Its rules for bookings.
    pub policy: BookingPolicy,
    /// Whether it takes bookings at all.
    pub active: bool,
}

impl From<&CreateClinic> for ClinicProfile {
    fn from(request: &CreateClinic) -> ClinicProfile {
        let CreateClinic { vendor_id: _, name, description, phone, address, coordinates, time_zone, policy } =
            request.clone();
        ClinicProfile { name, description, phone, address, coordinates, time_zone, policy, active: true }
    }
}

impl From<&UpdateClinic> for ClinicProfile {
    fn from(request: &UpdateClinic) -> ClinicProfile {
        let UpdateClinic { id: _, name, description, phone, address, coordinates, time_zone, policy, active } =
            request.clone();
        ClinicProfile { name, description, phone, address, coordinates, time_zone, policy, active }
    }
}

const FIND: &str = "\
    select clinic.id, clinic.vendor_id, clinic.name, clinic.description, clinic.phone, clinic.street, clinic.district,
        clinic.city, clinic.province, clinic.postal_code, clinic.country, clinic.latitude, clinic.longitude,
        clinic.time_zone, clinic.confirm_within_minutes, clinic.cancel_notice_minutes, clinic.cancel_fee_percent,
        clinic.reschedule_notice_minutes, clinic.reschedule_fee_percent, clinic.active, clinic.created_at,
        clinic.updated_at, clinic.version, clinic.schedule_updated_at, clinic.schedule_version,
        vendor.id, vendor.name, vendor.kind, vendor.description, vendor.email, vendor.phone, vendor.website,
        vendor.status, vendor.status_reason, vendor.created_at, vendor.updated_at, vendor.version
    from clinics as clinic join vendors as vendor on vendor.id = clinic.vendor_id
    where clinic.id = $1";

/// Reads a clinic with its vendor. By a text that is always the same, and the places of its columns, since it is what
/// most requests do.
pub async fn find(db: &impl ConnectionTrait, id: ClinicId) -> Result<Option<(Model, vendor::Model)>, store::Error> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, FIND, [id.into()]);
    let Some(row) = db.query_one_raw(statement).await? else { return Ok(None) };
    let clinic = Model {
        id: row.try_get_by_index(0)?,
        vendor_id: row.try_get_by_index(1)?,
        name: row.try_get_by_index(2)?,
        description: row.try_get_by_index(3)?,
        phone: row.try_get_by_index(4)?,
        street: row.try_get_by_index(5)?,
        district: row.try_get_by_index(6)?,
        city: row.try_get_by_index(7)?,
        province: row.try_get_by_index(8)?,
        postal_code: row.try_get_by_index(9)?,
        country: row.try_get_by_index(10)?,
        latitude: row.try_get_by_index(11)?,
        longitude: row.try_get_by_index(12)?,
        time_zone: row.try_get_by_index(13)?,
        confirm_within_minutes: row.try_get_by_index(14)?,
        cancel_notice_minutes: row.try_get_by_index(15)?,
        cancel_fee_percent: row.try_get_by_index(16)?,
        reschedule_notice_minutes: row.try_get_by_index(17)?,
        reschedule_fee_percent: row.try_get_by_index(18)?,
        active: row.try_get_by_index(19)?,
        created_at: row.try_get_by_index(20)?,
        updated_at: row.try_get_by_index(21)?,
        version: row.try_get_by_index(22)?,
        schedule_updated_at: row.try_get_by_index(23)?,
        schedule_version: row.try_get_by_index(24)?,
    };
    let vendor = vendor::Model {
        id: row.try_get_by_index(25)?,
        name: row.try_get_by_index(26)?,
        kind: row.try_get_by_index(27)?,
        description: row.try_get_by_index(28)?,
        email: row.try_get_by_index(29)?,
        phone: row.try_get_by_index(30)?,
        website: row.try_get_by_index(31)?,
        status: row.try_get_by_index(32)?,
        status_reason: row.try_get_by_index(33)?,
        created_at: row.try_get_by_index(34)?,
        updated_at: row.try_get_by_index(35)?,
        version: row.try_get_by_index(36)?,
    };
    Ok(Some((clinic, vendor)))
}

/// Reads a clinic with its vendor, and keeps others from changing the clinic until the transaction's end.
pub async fn lock(tx: &Tx, id: ClinicId) -> Result<Option<(Model, vendor::Model)>, store::Error> {
    let Some(clinic) = Entity::find_by_id(id).lock_exclusive().one(tx).await? else { return Ok(None) };
    let vendor = vendor::Entity::find_by_id(clinic.vendor_id).one(tx).await?;
    Ok(vendor.map(|vendor| (clinic, vendor)))
}

/// The first two clinics of a vendor: enough to know the only one.
pub async fn first_two(db: &impl ConnectionTrait, vendor_id: VendorId) -> Result<Vec<Model>, store::Error> {
    Ok(Entity::find().filter(Column::VendorId.eq(vendor_id)).order_by_asc(Column::Id).limit(2).all(db).await?)
}

/// Adds a clinic without opening hours, and tells both.
pub async fn insert(
    tx: &Tx,
    id: ClinicId,
    vendor_id: VendorId,
    profile: ClinicProfile,
    now: Instant,
) -> Result<Model, VendorError> {
    let ClinicProfile { name, description, phone, address, coordinates, time_zone, policy, active } = profile;
    let Address { street, district, city, province, postal_code, country } = address;
    let BookingPolicy {
        confirm_within_minutes,
        cancel_notice_minutes,
        cancel_fee_percent,
        reschedule_notice_minutes,
        reschedule_fee_percent,
    } = policy;
    let row = ActiveModel {
        id: Set(id),
        vendor_id: Set(vendor_id),
        name: Set(name),
        description: Set(description),
        phone: Set(phone),
        street: Set(street),
        district: Set(district),
        city: Set(city),
        province: Set(province),
        postal_code: Set(postal_code),
        country: Set(country),
        latitude: Set(coordinates.map(|point| point.latitude)),
        longitude: Set(coordinates.map(|point| point.longitude)),
        time_zone: Set(time_zone.name().to_owned()),
        confirm_within_minutes: Set(whole(confirm_within_minutes)),
        cancel_notice_minutes: Set(whole(cancel_notice_minutes)),
        cancel_fee_percent: Set(cancel_fee_percent.into()),
        reschedule_notice_minutes: Set(whole(reschedule_notice_minutes)),
        reschedule_fee_percent: Set(reschedule_fee_percent.into()),
        active: Set(active),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
        schedule_updated_at: Set(now),
        schedule_version: Set(1),
    };
    // It may have been removed since it was looked up.
    let row = row.insert(tx).await.on_constraint("clinics_vendor_fkey", VendorError::VendorNotFound)?;
    tx.emit(&ClinicUpdated(replies::clinic_state(&row)?)).await?;
    let closed = OpeningHours { time_zone, weekly: Vec::new(), exceptions: Vec::new() };
    tx.emit(&HoursUpdated(replies::hours_state(&row, closed))).await?;
    Ok(row)
}

/// Replaces what is known of a clinic, and tells it. Another zone is a change of the schedule too.
pub async fn replace(tx: &Tx, row: Model, profile: ClinicProfile, now: Instant) -> Result<Model, Fault> {
    let ClinicProfile { name, description, phone, address, coordinates, time_zone, policy, active } = profile;
    let Address { street, district, city, province, postal_code, country } = address;
    let BookingPolicy {
        confirm_within_minutes,
        cancel_notice_minutes,
        cancel_fee_percent,
        reschedule_notice_minutes,
        reschedule_fee_percent,
    } = policy;
    let version = row.version + 1;
    let moves_to_another_zone = row.time_zone != time_zone.name();
    let schedule_version = row.schedule_version + 1;

    let mut changed = row.into_active_model();
    changed.name = Set(name);
    changed.description = Set(description);
    changed.phone = Set(phone);
    changed.street = Set(street);
    changed.district = Set(district);
    changed.city = Set(city);
    changed.province = Set(province);
    changed.postal_code = Set(postal_code);
    changed.country = Set(country);
    changed.latitude = Set(coordinates.map(|point| point.latitude));
    changed.longitude = Set(coordinates.map(|point| point.longitude));
    changed.time_zone = Set(time_zone.name().to_owned());
    changed.confirm_within_minutes = Set(whole(confirm_within_minutes));
    changed.cancel_notice_minutes = Set(whole(cancel_notice_minutes));
    changed.cancel_fee_percent = Set(cancel_fee_percent.into());
    changed.reschedule_notice_minutes = Set(whole(reschedule_notice_minutes));
    changed.reschedule_fee_percent = Set(reschedule_fee_percent.into());
    changed.active = Set(active);
    changed.updated_at = Set(now);
    changed.version = Set(version);
    if moves_to_another_zone {
        changed.schedule_updated_at = Set(now);
        changed.schedule_version = Set(schedule_version);
    }
    let row = changed.update(tx).await.map_err(failed)?;
    tx.emit(&ClinicUpdated(replies::clinic_state(&row)?)).await?;
    if moves_to_another_zone {
        let opening_hours = hours::load(tx, &row).await?;
        tx.emit(&HoursUpdated(replies::hours_state(&row, opening_hours))).await?;
    }
    Ok(row)
}

/// Removes a clinic with its services, its hours and the memberships that are for it alone, and tells each removal.
/// Staff who worked there remain with the vendor.
pub async fn remove(tx: &Tx, row: Model, now: Instant) -> Result<(), Fault> {
    let service_rows = service::Entity::find()
        .filter(service::Column::ClinicId.eq(row.id))
        .order_by_asc(service::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await
        .map_err(failed)?;
    let staff_ids = staff::ids_at_clinic(tx, row.id).await?;
    for service_row in service_rows {
        services::delete(tx, service_row).await?;
    }
    let membership_rows = membership::Entity::find()
        .filter(membership::Column::ClinicId.eq(row.id))
        .filter(membership::Column::Status.ne(MembershipStatus::Revoked))
        .order_by_asc(membership::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await
        .map_err(failed)?;
    for membership_row in membership_rows {
        memberships::revoke(tx, membership_row, now).await?;
    }

    let clinic_tombstone =
        ClinicState { active: false, removed: true, version: row.version + 1, ..replies::clinic_state(&row)? };
    let closed = OpeningHours { time_zone: clinic_tombstone.time_zone, weekly: Vec::new(), exceptions: Vec::new() };
    let hours_tombstone =
        HoursState { removed: true, version: row.schedule_version + 1, ..replies::hours_state(&row, closed) };
    row.delete(tx).await.map_err(failed)?;
    tx.emit(&ClinicUpdated(clinic_tombstone)).await?;
    tx.emit(&HoursUpdated(hours_tombstone)).await?;
    // Their links to the clinic and its services went with it.
    staff::tell_changed(tx, staff_ids, now).await
}
