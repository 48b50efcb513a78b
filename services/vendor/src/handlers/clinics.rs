//! Clinics.

use super::page_size;
use crate::authority::Authority;
use crate::repo::clinics::ClinicProfile;
use crate::repo::{clinic_search, clinics, vendors};
use crate::{Cx, replies};
use store::keyset::Place;
use subjects::Page;
use subjects::ids::ClinicId;
use subjects::vendor::{Clinic, CreateClinic, FindClinic, FindClinics, RemoveClinic, UpdateClinic, VendorError};

/// `clinic.findAll`.
pub async fn find_all(cx: Cx, request: FindClinics) -> Result<Page<Clinic>, VendorError> {
    let db = cx.app.store.read();
    let authority = Authority::of(db, cx.caller()).await?;
    let sort = clinic_search::order_of(&request);
    let after = Place::read(request.cursor.as_deref(), sort)?;
    let limit = page_size(request.limit);
    let found = clinic_search::find(db, &request, &authority, after.as_ref(), limit).await?;
    let page = store::page(found, limit, |last| clinic_search::place(sort, last));

    let mut items = Vec::with_capacity(page.items.len());
    for found in page.items {
        let distance_km = found.metres.map(|metres| metres as f64 / 1000.0);
        items.push(Clinic { distance_km, ..replies::clinic(found.clinic, found.kind)? });
    }
    Ok(Page { items, next_cursor: page.next_cursor })
}

/// `clinic.findOne`.
pub async fn find_one(cx: Cx, request: FindClinic) -> Result<Clinic, VendorError> {
    let db = cx.app.store.read();
    let authority = Authority::of(db, cx.caller()).await?;
    let (row, vendor) = clinics::find(db, request.id).await?.ok_or(VendorError::ClinicNotFound)?;
    let is_shown = authority.sees(&vendor) && (row.active || authority.sees_hidden(vendor.id));
    if !is_shown {
        return Err(VendorError::ClinicNotFound);
    }
    Ok(replies::clinic(row, vendor.kind)?)
}

/// `clinic.create`: by those who run the vendor.
pub async fn create(cx: Cx, request: CreateClinic) -> Result<Clinic, VendorError> {
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let authority = Authority::of(&tx, cx.caller()).await?;
            let vendor = vendors::find(&tx, request.vendor_id).await?.ok_or(VendorError::VendorNotFound)?;
            authority.check_vendor(&vendor, VendorError::VendorNotFound)?;
            let profile = ClinicProfile::from(request);
            let row = clinics::insert(&tx, ClinicId::new(), vendor.id, profile, store::now()).await?;
            Ok(replies::clinic(row, vendor.kind)?)
        })
        .await
}

/// `clinic.update`: by those who run the clinic.
pub async fn update(cx: Cx, request: UpdateClinic) -> Result<Clinic, VendorError> {
    let expected_version = cx.expected_version()?;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let authority = Authority::of(&tx, cx.caller()).await?;
            let (row, vendor) = clinics::lock(&tx, request.id).await?.ok_or(VendorError::ClinicNotFound)?;
            authority.check_clinic(&vendor, row.id, VendorError::ClinicNotFound)?;
            store::expect_version(expected_version, row.version)?;
            let row = clinics::replace(&tx, row, ClinicProfile::from(request), store::now()).await?;
            Ok(replies::clinic(row, vendor.kind)?)
        })
        .await
}

/// `clinic.remove`: by those who run the vendor.
pub async fn remove(cx: Cx, request: RemoveClinic) -> Result<(), VendorError> {
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let authority = Authority::of(&tx, cx.caller()).await?;
            let (row, vendor) = clinics::lock(&tx, request.id).await?.ok_or(VendorError::ClinicNotFound)?;
            authority.check_vendor(&vendor, VendorError::ClinicNotFound)?;
            Ok(clinics::remove(&tx, row, store::now()).await?)
        })
        .await
}
