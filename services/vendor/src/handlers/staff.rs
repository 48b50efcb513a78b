//! Staff.

use super::page_size;
use crate::authority::Authority;
use crate::entity::vendor;
use crate::repo::staff::StaffProfile;
use crate::repo::{clinics, staff, staff_search};
use crate::{Cx, replies};
use store::keyset::Place;
use subjects::Page;
use subjects::ids::{ClinicId, StaffId};
use subjects::vendor::{
    CreateStaff, FindStaff, FindStaffMember, RemoveStaff, Staff, StaffSort, UpdateStaff, VendorError,
};

/// `staff.findAll`.
pub async fn find_all(cx: Cx, request: FindStaff) -> Result<Page<Staff>, VendorError> {
    let db = cx.app.store.read();
    let authority = Authority::of(db, cx.caller()).await?;
    let sort = request.sort.unwrap_or(StaffSort::DisplayName);
    let after = Place::read(request.cursor.as_deref(), sort)?;
    let limit = page_size(request.limit);
    let members = staff_search::find(db, &request, &authority, sort, after.as_ref(), limit).await?;
    let page = store::page(members, limit, |last| staff_search::place(sort, &last.row));
    let mut items = Vec::with_capacity(page.items.len());
    for member in page.items {
        let shows_account = authority.sees_hidden(member.row.vendor_id);
        items.push(replies::staff(member, shows_account)?);
    }
    Ok(Page { items, next_cursor: page.next_cursor })
}

/// `staff.findOne`.
pub async fn find_one(cx: Cx, request: FindStaffMember) -> Result<Staff, VendorError> {
    let db = cx.app.store.read();
    let authority = Authority::of(db, cx.caller()).await?;
    let (member, vendor) = staff::find(db, request.id).await?.ok_or(VendorError::StaffNotFound)?;
    let shows_hidden = authority.sees_hidden(vendor.id);
    let is_shown = authority.sees(&vendor) && (member.row.active || shows_hidden);
    if !is_shown {
        return Err(VendorError::StaffNotFound);
    }
    Ok(replies::staff(member, shows_hidden)?)
}

/// `staff.create`: by those who run the clinic.
pub async fn create(cx: Cx, request: CreateStaff) -> Result<Staff, VendorError> {
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let authority = Authority::of(&tx, cx.caller()).await?;
            let (clinic, vendor) = clinics::find(&tx, request.clinic_id).await?.ok_or(VendorError::ClinicNotFound)?;
            authority.check_clinic(&vendor, clinic.id, VendorError::ClinicNotFound)?;
            let profile = StaffProfile::from(request);
            let member = staff::insert(&tx, StaffId::new(), vendor.id, profile, store::now()).await?;
            Ok(replies::staff(member, true)?)
        })
        .await
}

/// `staff.update`: by those who run every clinic at which the staff member works, before and after.
pub async fn update(cx: Cx, request: UpdateStaff) -> Result<Staff, VendorError> {
    let expected_version = cx.expected_version()?;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let authority = Authority::of(&tx, cx.caller()).await?;
            let (member, vendor) = staff::lock(&tx, request.id).await?.ok_or(VendorError::StaffNotFound)?;
            check_clinics(&authority, &vendor, &member.clinic_ids)?;
            check_clinics(&authority, &vendor, &request.clinic_ids)?;
            store::expect_version(expected_version, member.row.version)?;
            let member = staff::replace(&tx, member, StaffProfile::from(request), store::now()).await?;
            Ok(replies::staff(member, true)?)
        })
        .await
}

/// `staff.remove`: by those who run every clinic at which the staff member works.
pub async fn remove(cx: Cx, request: RemoveStaff) -> Result<(), VendorError> {
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let authority = Authority::of(&tx, cx.caller()).await?;
            let (member, vendor) = staff::lock(&tx, request.id).await?.ok_or(VendorError::StaffNotFound)?;
            check_clinics(&authority, &vendor, &member.clinic_ids)?;
            Ok(staff::remove(&tx, member).await?)
        })
        .await
}

/// Staff without any clinic are the vendor's as a whole.
fn check_clinics(authority: &Authority, vendor: &vendor::Model, clinic_ids: &[ClinicId]) -> Result<(), VendorError> {
    if clinic_ids.is_empty() {
        return authority.check_vendor(vendor, VendorError::StaffNotFound);
    }
    clinic_ids.iter().try_for_each(|clinic_id| authority.check_clinic(vendor, *clinic_id, VendorError::StaffNotFound))
}
