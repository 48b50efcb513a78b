//! Memberships.

use super::page_size;
use crate::authority::Authority;
use crate::domain::members::{Standing, keep_an_administrator};
use crate::entity::{membership, vendor};
use crate::repo::memberships::{self, NewMembership};
use crate::repo::vendors;
use crate::{Cx, replies};
use sea_orm::{ColumnTrait, Condition};
use store::Tx;
use store::keyset::Place;
use subjects::Page;
use subjects::ids::{ClinicId, MembershipId};
use subjects::vendor::{
    AcceptMembership, FindMemberships, InviteMember, Membership, MembershipSort, MembershipStatus, RevokeMembership,
    UpdateMembership, VendorError,
};

/// `membership.findAll`: a vendor's, for those who run it or one of its clinics; or the caller's own.
pub async fn find_all(cx: Cx, request: FindMemberships) -> Result<Page<Membership>, VendorError> {
    let user_id = cx.caller().user()?.id;
    let db = cx.app.store.read();
    let whose = match request.vendor_id {
        None => Condition::all().add(membership::Column::UserId.eq(user_id)),
        Some(vendor_id) => {
            let authority = Authority::of(db, cx.caller()).await?;
            let row = vendors::find(db, vendor_id).await?.ok_or(VendorError::VendorNotFound)?;
            let whole = Condition::all().add(membership::Column::VendorId.eq(vendor_id));
            let clinic_ids = authority.clinics_run_at(vendor_id);
            if authority.runs_vendor(vendor_id) {
                whole
            } else if clinic_ids.is_empty() {
                return Err(authority.refusal(&row, VendorError::VendorNotFound));
            } else {
                whole.add(membership::Column::ClinicId.is_in(clinic_ids))
            }
        }
    };
    let sort = request.sort.unwrap_or(MembershipSort::CreatedAt);
    let after = Place::read(request.cursor.as_deref(), sort)?;
    let limit = page_size(request.limit);
    let rows = memberships::list(db, whose, request.status, sort, after.as_ref(), limit).await?;
    Ok(store::page(rows, limit, |last| memberships::place(sort, last)).map(replies::membership))
}

/// `membership.invite`.
pub async fn invite(cx: Cx, request: InviteMember) -> Result<Membership, VendorError> {
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let InviteMember { vendor_id, user_id, role, clinic_id } = *request;
            let authority = Authority::of(&tx, cx.caller()).await?;
            let vendor = vendors::find(&tx, vendor_id).await?.ok_or(VendorError::VendorNotFound)?;
            check_reach(&authority, &vendor, clinic_id)?;
            let id = MembershipId::new();
            let status = MembershipStatus::Invited;
            let new = NewMembership { id, vendor_id, clinic_id, user_id, role, status };
            Ok(replies::membership(memberships::insert(&tx, new, store::now()).await?))
        })
        .await
}

/// `membership.accept`: by the user who was invited.
pub async fn accept(cx: Cx, request: AcceptMembership) -> Result<Membership, VendorError> {
    let user_id = cx.caller().user()?.id;
    let request = &request;
    cx.app
        .store
        .write(&cx, |tx| async move {
            let row = memberships::lock(&tx, request.vendor_id, request.id)
                .await?
                .filter(|row| row.user_id == user_id)
                .ok_or(VendorError::MembershipNotFound)?;
            let row = match row.status {
                MembershipStatus::Invited => memberships::activate(&tx, row, store::now()).await?,
                MembershipStatus::Active => row,
                MembershipStatus::Revoked => return Err(VendorError::InvitationNotOpen),
            };
            Ok(replies::membership(row))
        })
        .await
}

/// `membership.update`.
pub async fn update(cx: Cx, request: UpdateMembership) -> Result<Membership, VendorError> {
    let expected_version = cx.expected_version()?;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let authority = Authority::of(&tx, cx.caller()).await?;
            // Locking the vendor lets two administrators not take the role from each other at the same time.
            let vendor = vendors::lock(&tx, request.vendor_id).await?.ok_or(VendorError::VendorNotFound)?;
            let row = find_at(&tx, &authority, &vendor, request.id).await?;
            check_reach(&authority, &vendor, row.clinic_id)?;
            check_reach(&authority, &vendor, request.clinic_id)?;
            store::expect_version(expected_version, row.version)?;
            if row.status == MembershipStatus::Revoked {
                return Err(VendorError::MembershipNotFound);
            }
            let before = memberships::standing(&row);
            let after = Standing { role: request.role, clinic_id: request.clinic_id, ..before };
            keep_an_administrator(&memberships::standings(&tx, vendor.id).await?, &before, Some(&after))?;
            let row = memberships::replace(&tx, row, request.role, request.clinic_id, store::now()).await?;
            Ok(replies::membership(row))
        })
        .await
}

/// `membership.revoke`: by those who run the vendor or clinic, or by the member.
pub async fn revoke(cx: Cx, request: RevokeMembership) -> Result<(), VendorError> {
    let user_id = cx.caller().user()?.id;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let authority = Authority::of(&tx, cx.caller()).await?;
            let vendor = vendors::lock(&tx, request.vendor_id).await?.ok_or(VendorError::VendorNotFound)?;
            let own = memberships::lock(&tx, vendor.id, request.id).await?.filter(|row| row.user_id == user_id);
            let row = match own {
                Some(row) => row,
                None => {
                    let row = find_at(&tx, &authority, &vendor, request.id).await?;
                    check_reach(&authority, &vendor, row.clinic_id)?;
                    row
                }
            };
            if row.status == MembershipStatus::Revoked {
                return Ok(());
            }
            let before = memberships::standing(&row);
            keep_an_administrator(&memberships::standings(&tx, vendor.id).await?, &before, None)?;
            Ok(memberships::revoke(&tx, row, store::now()).await?)
        })
        .await
}

/// Whoever runs nothing at the vendor is refused before learning whether there is such a membership.
async fn find_at(
    tx: &Tx,
    authority: &Authority,
    vendor: &vendor::Model,
    id: MembershipId,
) -> Result<membership::Model, VendorError> {
    if !authority.runs_vendor(vendor.id) && authority.clinics_run_at(vendor.id).is_empty() {
        return Err(authority.refusal(vendor, VendorError::VendorNotFound));
    }
    memberships::lock(tx, vendor.id, id).await?.ok_or(VendorError::MembershipNotFound)
}

/// A membership for all clinics is given and taken by those who run the vendor, one for a clinic also by those who
/// run that clinic.
fn check_reach(authority: &Authority, vendor: &vendor::Model, clinic_id: Option<ClinicId>) -> Result<(), VendorError> {
    match clinic_id {
        None => authority.check_vendor(vendor, VendorError::VendorNotFound),
        Some(clinic_id) => authority.check_clinic(vendor, clinic_id, VendorError::VendorNotFound),
    }
}
