//! Vendors.

use super::page_size;
use crate::authority::Authority;
use crate::repo::memberships::NewMembership;
use crate::repo::vendors::VendorProfile;
use crate::repo::{memberships, vendors};
use crate::{Cx, replies};
use store::keyset::Place;
use subjects::Page;
use subjects::ids::VendorId;
use subjects::vendor::{
    CreateVendor, FindVendor, FindVendors, RemoveVendor, UpdateVendor, Vendor, VendorError, VendorSort,
};

/// `vendor.findAll`.
pub async fn find_all(cx: Cx, request: FindVendors) -> Result<Page<Vendor>, VendorError> {
    let db = cx.app.store.read();
    let authority = Authority::of(db, cx.caller()).await?;
    let sort = request.sort.unwrap_or(VendorSort::CreatedAtDescending);
    let after = Place::read(request.cursor.as_deref(), sort)?;
    let limit = page_size(request.limit);
    let rows = vendors::search(db, &request, &authority, sort, after.as_ref(), limit).await?;
    let page = store::page(rows, limit, |last| vendors::place(sort, last));
    Ok(page.map(|row| {
        let shows_reason = authority.sees_hidden(row.id);
        replies::vendor(row, shows_reason)
    }))
}

/// `vendor.findOne`.
pub async fn find_one(cx: Cx, request: FindVendor) -> Result<Vendor, VendorError> {
    let db = cx.app.store.read();
    let authority = Authority::of(db, cx.caller()).await?;
    let row = vendors::find(db, request.id).await?.ok_or(VendorError::VendorNotFound)?;
    if !authority.sees(&row) {
        return Err(VendorError::VendorNotFound);
    }
    let shows_reason = authority.sees_hidden(row.id);
    Ok(replies::vendor(row, shows_reason))
}

/// `vendor.create`: the caller becomes its first administrator.
pub async fn create(cx: Cx, request: CreateVendor) -> Result<Vendor, VendorError> {
    let user_id = cx.caller().user()?.id;
    let request = &request;
    cx.app
        .store
        .keyed(&cx, request, |tx| async move {
            let now = store::now();
            let row = vendors::insert(&tx, VendorId::new(), VendorProfile::from(request), now).await?;
            memberships::insert(&tx, NewMembership::of_founder(user_id, row.id), now).await?;
            Ok(replies::vendor(row, true))
        })
        .await
}

/// `vendor.update`.
pub async fn update(cx: Cx, request: UpdateVendor) -> Result<Vendor, VendorError> {
    let expected_version = cx.expected_version()?;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let authority = Authority::of(&tx, cx.caller()).await?;
            let row = vendors::lock(&tx, request.id).await?.ok_or(VendorError::VendorNotFound)?;
            authority.check_vendor(&row, VendorError::VendorNotFound)?;
            store::expect_version(expected_version, row.version)?;
            let row = vendors::replace(&tx, row, VendorProfile::from(request), store::now()).await?;
            Ok(replies::vendor(row, true))
        })
        .await
}

/// `vendor.remove`.
pub async fn remove(cx: Cx, request: RemoveVendor) -> Result<(), VendorError> {
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let authority = Authority::of(&tx, cx.caller()).await?;
            let row = vendors::lock(&tx, request.id).await?.ok_or(VendorError::VendorNotFound)?;
            authority.check_vendor(&row, VendorError::VendorNotFound)?;
            Ok(vendors::remove(&tx, row, store::now()).await?)
        })
        .await
}
