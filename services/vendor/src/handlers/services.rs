//! Services of clinics.

use super::page_size;
use crate::authority::Authority;
use crate::repo::services::ServiceProfile;
use crate::repo::{clinics, services};
use crate::{Cx, replies};
use store::keyset::Place;
use subjects::Page;
use subjects::ids::ServiceId;
use subjects::vendor::{
    CreateService, FindService, FindServices, RemoveService, Service, ServiceSort, UpdateService, VendorError,
};

/// `service.findAll`.
pub async fn find_all(cx: Cx, request: FindServices) -> Result<Page<Service>, VendorError> {
    let db = cx.app.store.read();
    let authority = Authority::of(db, cx.caller()).await?;
    let sort = request.sort.unwrap_or(ServiceSort::Name);
    let after = Place::read(request.cursor.as_deref(), sort)?;
    let limit = page_size(request.limit);
    let rows = services::search(db, &request, &authority, sort, after.as_ref(), limit).await?;
    let page = store::page(rows, limit, |last| services::place(sort, last));
    let items = page.items.into_iter().map(replies::service).collect::<Result<_, _>>()?;
    Ok(Page { items, next_cursor: page.next_cursor })
}

/// `service.findOne`.
pub async fn find_one(cx: Cx, request: FindService) -> Result<Service, VendorError> {
    let db = cx.app.store.read();
    let authority = Authority::of(db, cx.caller()).await?;
    let row = services::find(db, request.id).await?.ok_or(VendorError::ServiceNotFound)?;
    let (clinic, vendor) = clinics::find(db, row.clinic_id).await?.ok_or(VendorError::ServiceNotFound)?;
    let is_offered = row.active && clinic.active;
    let is_shown = authority.sees(&vendor) && (is_offered || authority.sees_hidden(vendor.id));
    if !is_shown {
        return Err(VendorError::ServiceNotFound);
    }
    Ok(replies::service(row)?)
}

/// `service.create`: by those who run the clinic.
pub async fn create(cx: Cx, request: CreateService) -> Result<Service, VendorError> {
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let authority = Authority::of(&tx, cx.caller()).await?;
            let (clinic, vendor) = clinics::find(&tx, request.clinic_id).await?.ok_or(VendorError::ClinicNotFound)?;
            authority.check_clinic(&vendor, clinic.id, VendorError::ClinicNotFound)?;
            let profile = ServiceProfile::from(request);
            let place = (clinic.id, vendor.id);
            let row = services::insert(&tx, ServiceId::new(), place, profile, store::now()).await?;
            Ok(replies::service(row)?)
        })
        .await
}

/// `service.update`: by those who run the clinic.
pub async fn update(cx: Cx, request: UpdateService) -> Result<Service, VendorError> {
    let expected_version = cx.expected_version()?;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let authority = Authority::of(&tx, cx.caller()).await?;
            let row = services::lock(&tx, request.id).await?.ok_or(VendorError::ServiceNotFound)?;
            let (clinic, vendor) = clinics::find(&tx, row.clinic_id).await?.ok_or(VendorError::ServiceNotFound)?;
            authority.check_clinic(&vendor, clinic.id, VendorError::ServiceNotFound)?;
            store::expect_version(expected_version, row.version)?;
            let row = services::replace(&tx, row, ServiceProfile::from(request), store::now()).await?;
            Ok(replies::service(row)?)
        })
        .await
}

/// `service.remove`: by those who run the clinic.
pub async fn remove(cx: Cx, request: RemoveService) -> Result<(), VendorError> {
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let authority = Authority::of(&tx, cx.caller()).await?;
            let row = services::lock(&tx, request.id).await?.ok_or(VendorError::ServiceNotFound)?;
            let (clinic, vendor) = clinics::find(&tx, row.clinic_id).await?.ok_or(VendorError::ServiceNotFound)?;
            authority.check_clinic(&vendor, clinic.id, VendorError::ServiceNotFound)?;
            Ok(services::remove(&tx, row, store::now()).await?)
        })
        .await
}
