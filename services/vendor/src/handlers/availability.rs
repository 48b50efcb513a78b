//! When the staff of a clinic can be booked.

use crate::repo::availability::{self, Bookable, Working};
use crate::repo::clinics;
use crate::{Cx, replies};
use sea_orm::DatabaseConnection;
use subjects::ids::{ClinicId, VendorId};
use subjects::vendor::{ClinicAvailability, OwnHours, StaffAvailability, VendorAvailability, VendorError};

/// `vendor.availability`.
pub async fn find(cx: Cx, request: VendorAvailability) -> Result<ClinicAvailability, VendorError> {
    let db = cx.app.store.read();
    let clinic_id = match (request.clinic_id, request.service_id, request.vendor_id) {
        (None, None, None) => return Err(VendorError::ClinicNeeded),
        (None, None, Some(vendor_id)) => Some(only_clinic(db, vendor_id).await?),
        (named, _, _) => named,
    };
    let found = availability::find(db, clinic_id, request.service_id, request.staff_id).await?;
    let found = match found {
        Some(found) if request.service_id.is_none() || found.service.is_some() => found,
        // A service without a clinic has none to be found by, and that of another clinic is none of this one.
        _ if request.service_id.is_some() => return Err(VendorError::ServiceNotFound),
        _ => return Err(VendorError::ClinicNotFound),
    };
    if request.vendor_id.is_some_and(|vendor_id| vendor_id != found.vendor_id) {
        return Err(VendorError::ClinicNotFound);
    }
    Ok(ClinicAvailability {
        clinic_id: found.clinic_id,
        vendor_id: found.vendor_id,
        time_zone: found.time_zone,
        policy: found.policy,
        schedule_version: found.schedule_version,
        bookable: found.bookable,
        service: found.service.as_ref().map(replies::service_state).transpose()?,
        staff: available(&found, &request),
    })
}

/// The clinic of a vendor that has one.
async fn only_clinic(db: &DatabaseConnection, vendor_id: VendorId) -> Result<ClinicId, VendorError> {
    match clinics::first_two(db, vendor_id).await?.as_slice() {
        [] => Err(VendorError::ClinicNotFound),
        [only] => Ok(only.id),
        _ => Err(VendorError::ClinicNeeded),
    }
}

fn available(found: &Bookable, request: &VendorAvailability) -> Vec<StaffAvailability> {
    let (first, last) = (request.from, request.last_date());
    let open_hours = found.hours.open_between(first, last);
    let available = found.staff.iter().map(|Working { staff_id, week, exceptions }| {
        let open = if week.is_none() && exceptions.is_empty() {
            open_hours.clone()
        } else {
            let own = OwnHours { week: week.as_deref(), exceptions };
            found.hours.worked_between(found.clinic_id, own, first, last)
        };
        StaffAvailability { staff_id: *staff_id, open }
    });
    available.collect()
}
