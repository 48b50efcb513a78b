//! When the staff of a clinic can be booked.

use crate::entity::{clinic, service};
use crate::repo::{clinics, hours, services, staff};
use crate::{Cx, replies};
use sea_orm::DatabaseConnection;
use subjects::Fault;
use subjects::ids::ClinicId;
use subjects::vendor::{
    ClinicAvailability, StaffAvailability, VendorAvailability, VendorError, VendorStatus, WeeklyInterval,
};

/// `vendor.availability`.
pub async fn find(cx: Cx, request: VendorAvailability) -> Result<ClinicAvailability, VendorError> {
    let db = cx.app.store.read();
    let service = match request.service_id {
        None => None,
        Some(id) => Some(services::find(db, id).await?.ok_or(VendorError::ServiceNotFound)?),
    };
    let clinic_id = clinic_of(db, &request, service.as_ref()).await?;
    let (clinic, vendor) = clinics::find(db, clinic_id).await?.ok_or(VendorError::ClinicNotFound)?;
    if request.vendor_id.is_some_and(|vendor_id| vendor_id != vendor.id) {
        return Err(VendorError::ClinicNotFound);
    }

    let is_offered = service.as_ref().is_none_or(|service| service.active);
    let bookable = vendor.status == VendorStatus::Approved && clinic.active && is_offered;
    let staff = if bookable { staff_at(db, &request, &clinic).await? } else { Vec::new() };
    Ok(ClinicAvailability {
        clinic_id: clinic.id,
        vendor_id: vendor.id,
        time_zone: replies::time_zone(&clinic.time_zone)?,
        schedule_version: clinic.schedule_version,
        bookable,
        service: service.as_ref().map(replies::service_state).transpose()?,
        staff,
    })
}

/// Which clinic is meant.
async fn clinic_of(
    db: &DatabaseConnection,
    request: &VendorAvailability,
    service: Option<&service::Model>,
) -> Result<ClinicId, VendorError> {
    match (request.clinic_id, service, request.vendor_id) {
        (Some(clinic_id), Some(service), _) if service.clinic_id != clinic_id => Err(VendorError::ServiceNotFound),
        (Some(clinic_id), _, _) => Ok(clinic_id),
        (None, Some(service), _) => Ok(service.clinic_id),
        (None, None, Some(vendor_id)) => match clinics::first_two(db, vendor_id).await?.as_slice() {
            [] => Err(VendorError::ClinicNotFound),
            [only] => Ok(only.id),
            _ => Err(VendorError::ClinicNeeded),
        },
        (None, None, None) => Err(VendorError::ClinicNeeded),
    }
}

async fn staff_at(
    db: &DatabaseConnection,
    request: &VendorAvailability,
    clinic: &clinic::Model,
) -> Result<Vec<StaffAvailability>, VendorError> {
    let rows = staff::bookable_at(db, clinic.id, request.service_id, request.staff_id).await?;
    let opening_hours = hours::load(db, clinic).await?;
    let mut available = Vec::with_capacity(rows.len());
    for row in rows {
        let own_week: Option<Vec<WeeklyInterval>> =
            row.hours.map(serde_json::from_value).transpose().map_err(Fault::internal)?;
        let open = opening_hours.worked_between(own_week.as_deref(), request.from, request.last_date());
        available.push(StaffAvailability { staff_id: row.id, open });
    }
    Ok(available)
}
