//! Opening hours.

use crate::Cx;
use crate::authority::Authority;
use crate::entity::clinic;
use crate::repo::{clinics, hours};
use subjects::vendor::{FindHours, OpeningHours, Schedule, UpdateHours, VendorError};

/// `hours.findOne`.
pub async fn find_one(cx: Cx, request: FindHours) -> Result<Schedule, VendorError> {
    let db = cx.app.store.read();
    let authority = Authority::of(db, cx.caller()).await?;
    let (clinic, vendor) = clinics::find(db, request.clinic_id).await?.ok_or(VendorError::ClinicNotFound)?;
    let is_shown = authority.sees(&vendor) && (clinic.active || authority.sees_hidden(vendor.id));
    if !is_shown {
        return Err(VendorError::ClinicNotFound);
    }
    let opening_hours = hours::load(db, &clinic).await?;
    Ok(schedule(&clinic, opening_hours))
}

/// `hours.update`: by those who run the clinic. `If-Match` names the schedule's version, not the clinic's.
pub async fn update(cx: Cx, request: UpdateHours) -> Result<Schedule, VendorError> {
    let expected_version = cx.expected_version()?;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let authority = Authority::of(&tx, cx.caller()).await?;
            let (clinic, vendor) = clinics::lock(&tx, request.clinic_id).await?.ok_or(VendorError::ClinicNotFound)?;
            authority.check_clinic(&vendor, clinic.id, VendorError::ClinicNotFound)?;
            store::expect_version(expected_version, clinic.schedule_version)?;
            let UpdateHours { clinic_id: _, weekly, exceptions } = request.clone();
            let (clinic, opening_hours) = hours::replace(&tx, clinic, weekly, exceptions, store::now()).await?;
            Ok(schedule(&clinic, opening_hours))
        })
        .await
}

fn schedule(clinic: &clinic::Model, hours: OpeningHours) -> Schedule {
    Schedule {
        clinic_id: clinic.id,
        vendor_id: clinic.vendor_id,
        hours,
        updated_at: clinic.schedule_updated_at,
        version: clinic.schedule_version,
    }
}
