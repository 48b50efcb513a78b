//! Staff, with the clinics at which they work and the services that they perform.

use crate::entity::staff::{ActiveModel, Column, Entity, Model};
use crate::entity::{clinic, service, staff_clinic, staff_service, vendor};
use crate::replies;
use crate::repo::failed;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, ModelTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use store::{ResultExt as _, Tx};
use subjects::Fault;
use subjects::ids::{ClinicId, ServiceId, StaffId, UserId, VendorId};
use subjects::time::Instant;
use subjects::vendor::{
    CreateStaff, StaffAdded, StaffRemoved, StaffState, StaffUpdated, UpdateStaff, VendorError, WorkingException,
    WorkingInterval,
};

/// A staff member with their links.
#[derive(Debug, Clone, PartialEq)]
pub struct StaffMember {
    /// The row.
    pub row: Model,
    /// Where they work, in order.
    pub clinic_ids: Vec<ClinicId>,
    /// What they perform, in order.
    pub service_ids: Vec<ServiceId>,
}

/// The week of a row's own, where there is one.
///
/// # Errors
/// What is stored is not a week.
pub fn own_week(row: &Model) -> Result<Option<Vec<WorkingInterval>>, Fault> {
    row.hours.clone().map(serde_json::from_value).transpose().map_err(Fault::internal)
}

/// The dates of a row's own, in order.
///
/// # Errors
/// What is stored is no list of them.
pub fn exceptions(row: &Model) -> Result<Vec<WorkingException>, Fault> {
    serde_json::from_value(row.exceptions.clone()).map_err(Fault::internal)
}

/// What is known of a staff member.
#[derive(Debug, Clone)]
pub struct StaffProfile {
    /// The name that customers see.
    pub display_name: String,
    /// Title or profession.
    pub title: Option<String>,
    /// Where they work.
    pub clinic_ids: Vec<ClinicId>,
    /// What they perform.
    pub service_ids: Vec<ServiceId>,
    /// The account of the person.
    pub user_id: Option<UserId>,
    /// Their own week; `None`: whenever the clinic is open.
    pub hours: Option<Vec<WorkingInterval>>,
    /// The dates on which they work otherwise than usual.
    pub exceptions: Vec<WorkingException>,
    /// Whether they can be booked.
    pub active: bool,
}

impl From<&CreateStaff> for StaffProfile {
    fn from(request: &CreateStaff) -> StaffProfile {
        let CreateStaff { clinic_id, display_name, title, service_ids, user_id, hours, exceptions } = request.clone();
        let clinic_ids = vec![clinic_id];
        StaffProfile { display_name, title, clinic_ids, service_ids, user_id, hours, exceptions, active: true }
    }
}

impl From<&UpdateStaff> for StaffProfile {
    fn from(request: &UpdateStaff) -> StaffProfile {
        let UpdateStaff { id: _, display_name, title, clinic_ids, service_ids, user_id, hours, exceptions, active } =
            request.clone();
        StaffProfile { display_name, title, clinic_ids, service_ids, user_id, hours, exceptions, active }
    }
}

/// Reads a staff member with their vendor.
pub async fn find(
    db: &impl ConnectionTrait,
    id: StaffId,
) -> Result<Option<(StaffMember, vendor::Model)>, store::Error> {
    let found = Entity::find_by_id(id).find_also_related(vendor::Entity).one(db).await?;
    let Some((row, Some(vendor))) = found else { return Ok(None) };
    let member = with_links(db, vec![row]).await?.pop();
    Ok(member.map(|member| (member, vendor)))
}

/// Reads a staff member with their vendor, and keeps others from changing them until the transaction's end.
pub async fn lock(tx: &Tx, id: StaffId) -> Result<Option<(StaffMember, vendor::Model)>, store::Error> {
    let Some(row) = Entity::find_by_id(id).lock_exclusive().one(tx).await? else { return Ok(None) };
    let Some(vendor) = vendor::Entity::find_by_id(row.vendor_id).one(tx).await? else { return Ok(None) };
    let member = with_links(tx, vec![row]).await?.pop();
    Ok(member.map(|member| (member, vendor)))
}

/// The staff who work at a clinic.
pub async fn ids_at_clinic(tx: &Tx, clinic_id: ClinicId) -> Result<Vec<StaffId>, store::Error> {
    let rows = staff_clinic::Entity::find().filter(staff_clinic::Column::ClinicId.eq(clinic_id)).all(tx).await?;
    Ok(rows.into_iter().map(|row| row.staff_id).collect())
}

/// The staff who perform a service.
pub async fn ids_performing(tx: &Tx, service_id: ServiceId) -> Result<Vec<StaffId>, store::Error> {
    let rows = staff_service::Entity::find().filter(staff_service::Column::ServiceId.eq(service_id)).all(tx).await?;
    Ok(rows.into_iter().map(|row| row.staff_id).collect())
}

/// Adds the links to rows, keeping their order.
pub async fn with_links(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<StaffMember>, store::Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<StaffId> = rows.iter().map(|row| row.id).collect();
    let clinic_links = staff_clinic::Entity::find()
        .filter(staff_clinic::Column::StaffId.is_in(ids.clone()))
        .order_by_asc(staff_clinic::Column::ClinicId)
        .all(db)
        .await?;
    let service_links = staff_service::Entity::find()
        .filter(staff_service::Column::StaffId.is_in(ids))
        .order_by_asc(staff_service::Column::ServiceId)
        .all(db)
        .await?;
    let members = rows.into_iter().map(|row| {
        let clinic_ids =
            clinic_links.iter().filter(|link| link.staff_id == row.id).map(|link| link.clinic_id).collect();
        let service_ids =
            service_links.iter().filter(|link| link.staff_id == row.id).map(|link| link.service_id).collect();
        StaffMember { row, clinic_ids, service_ids }
    });
    Ok(members.collect())
}

/// Adds a staff member, and tells it.
pub async fn insert(
    tx: &Tx,
    id: StaffId,
    vendor_id: VendorId,
    profile: StaffProfile,
    now: Instant,
) -> Result<StaffMember, VendorError> {
    let StaffProfile { display_name, title, clinic_ids, service_ids, user_id, hours, exceptions, active } = profile;
    let row = ActiveModel {
        id: Set(id),
        vendor_id: Set(vendor_id),
        display_name: Set(display_name),
        title: Set(title),
        user_id: Set(user_id),
        hours: Set(week_as_json(hours.as_deref())?),
        exceptions: Set(dates_as_json(exceptions)?),
        active: Set(active),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
    };
    // It may have been removed since it was looked up; so may the clinics and services below.
    let row = row.insert(tx).await.on_constraint("staff_vendor_fkey", VendorError::VendorNotFound)?;
    let member = link(tx, row, clinic_ids, service_ids, hours.as_deref()).await?;
    tx.emit(&StaffAdded(replies::staff_state(&member)?)).await?;
    Ok(member)
}

/// Replaces what is known of a staff member, and tells it.
pub async fn replace(
    tx: &Tx,
    member: StaffMember,
    profile: StaffProfile,
    now: Instant,
) -> Result<StaffMember, VendorError> {
    let StaffProfile { display_name, title, clinic_ids, service_ids, user_id, hours, exceptions, active } = profile;
    let version = member.row.version + 1;
    let staff_id = member.row.id;
    let mut changed = member.row.into_active_model();
    changed.display_name = Set(display_name);
    changed.title = Set(title);
    changed.user_id = Set(user_id);
    changed.hours = Set(week_as_json(hours.as_deref())?);
    changed.exceptions = Set(dates_as_json(exceptions)?);
    changed.active = Set(active);
    changed.updated_at = Set(now);
    changed.version = Set(version);
    let row = changed.update(tx).await.map_err(failed)?;
    // The links to services go with those to clinics.
    staff_clinic::Entity::delete_many()
        .filter(staff_clinic::Column::StaffId.eq(staff_id))
        .exec(tx)
        .await
        .map_err(failed)?;
    let member = link(tx, row, clinic_ids, service_ids, hours.as_deref()).await?;
    tx.emit(&StaffUpdated(replies::staff_state(&member)?)).await?;
    Ok(member)
}

/// Removes a staff member, and tells it.
pub async fn remove(tx: &Tx, member: StaffMember) -> Result<(), Fault> {
    let tombstone = StaffState {
        clinic_ids: Vec::new(),
        service_ids: Vec::new(),
        hours: None,
        exceptions: Vec::new(),
        active: false,
        version: member.row.version + 1,
        ..replies::staff_state(&member)?
    };
    member.row.delete(tx).await.map_err(failed)?;
    tx.emit(&StaffRemoved(tombstone)).await?;
    Ok(())
}

/// Tells of staff whose links have gone with a clinic or a service. What their week says of a clinic that is gone goes
/// too: they do not work elsewhere instead.
pub async fn tell_changed(tx: &Tx, staff_ids: Vec<StaffId>, now: Instant) -> Result<(), Fault> {
    let rows = Entity::find()
        .filter(Column::Id.is_in(staff_ids))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(tx)
        .await
        .map_err(failed)?;
    for StaffMember { row, clinic_ids, service_ids } in with_links(tx, rows).await? {
        let mut week = own_week(&row)?;
        if let Some(week) = &mut week {
            week.retain(|interval| interval.clinic_id.is_none_or(|clinic_id| clinic_ids.contains(&clinic_id)));
        }
        let version = row.version + 1;
        let mut changed = row.into_active_model();
        changed.hours = Set(week_as_json(week.as_deref())?);
        changed.updated_at = Set(now);
        changed.version = Set(version);
        let row = changed.update(tx).await.map_err(failed)?;
        let member = StaffMember { row, clinic_ids, service_ids };
        tx.emit(&StaffUpdated(replies::staff_state(&member)?)).await?;
    }
    Ok(())
}

/// Links a staff member without links to clinics of their vendor, which those of their week must be among, and to
/// services of those clinics.
async fn link(
    tx: &Tx,
    row: Model,
    mut clinic_ids: Vec<ClinicId>,
    mut service_ids: Vec<ServiceId>,
    week: Option<&[WorkingInterval]>,
) -> Result<StaffMember, VendorError> {
    if week.into_iter().flatten().filter_map(|interval| interval.clinic_id).any(|at| !clinic_ids.contains(&at)) {
        return Err(VendorError::UnknownClinic);
    }
    clinic_ids.sort_unstable();
    service_ids.sort_unstable();
    let (staff_id, vendor_id) = (row.id, row.vendor_id);

    let clinics = clinic::Entity::find()
        .filter(clinic::Column::VendorId.eq(vendor_id))
        .filter(clinic::Column::Id.is_in(clinic_ids.clone()))
        .all(tx)
        .await
        .map_err(failed)?;
    if clinics.len() != clinic_ids.len() {
        return Err(VendorError::UnknownClinic);
    }
    let services = service::Entity::find()
        .filter(service::Column::ClinicId.is_in(clinic_ids.clone()))
        .filter(service::Column::Id.is_in(service_ids.clone()))
        .all(tx)
        .await
        .map_err(failed)?;
    if services.len() != service_ids.len() {
        return Err(VendorError::UnknownService);
    }

    let clinic_links = clinics.iter().map(|clinic| staff_clinic::ActiveModel {
        staff_id: Set(staff_id),
        clinic_id: Set(clinic.id),
        vendor_id: Set(vendor_id),
    });
    if !clinics.is_empty() {
        let linked = staff_clinic::Entity::insert_many(clinic_links).exec(tx).await;
        linked.on_constraint("staff_clinics_clinic_fkey", VendorError::UnknownClinic)?;
    }
    let service_links = services.iter().map(|service| staff_service::ActiveModel {
        staff_id: Set(staff_id),
        service_id: Set(service.id),
        clinic_id: Set(service.clinic_id),
    });
    if !services.is_empty() {
        let linked = staff_service::Entity::insert_many(service_links).exec(tx).await;
        linked.on_constraint("staff_services_service_fkey", VendorError::UnknownService)?;
    }
    Ok(StaffMember { row, clinic_ids, service_ids })
}

fn week_as_json(hours: Option<&[WorkingInterval]>) -> Result<Option<serde_json::Value>, Fault> {
    hours.map(serde_json::to_value).transpose().map_err(Fault::internal)
}

fn dates_as_json(mut exceptions: Vec<WorkingException>) -> Result<serde_json::Value, Fault> {
    exceptions.sort_unstable_by_key(|exception| exception.date);
    serde_json::to_value(exceptions).map_err(Fault::internal)
}
