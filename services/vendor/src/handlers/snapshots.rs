//! `vendor.snapshot`, `clinic.snapshot`, `service.snapshot`, `staff.snapshot`, `hours.snapshot` and
//! `membership.snapshot`. What was removed leaves no row here, but for memberships that were revoked.

use crate::Cx;
use crate::entity::{clinic, membership, service, vendor};
use crate::replies;
use crate::repo::snapshots;
use store::projection::{snapshot_page, snapshot_rows};
use subjects::snapshot::{SnapshotItem, SnapshotPage};
use subjects::vendor::{
    ClinicSnapshot, ClinicState, HoursSnapshot, HoursState, MembershipSnapshot, MembershipState, MembershipStatus,
    ServiceSnapshot, ServiceState, StaffSnapshot, StaffState, VendorSnapshot, VendorState,
};
use subjects::{Fault, NoError};

/// A page of vendors.
pub async fn vendors(cx: Cx, request: VendorSnapshot) -> Result<SnapshotPage<VendorState>, NoError> {
    let VendorSnapshot { after, limit } = request;
    let rows = snapshot_rows::<vendor::Entity>(cx.app.store.read(), vendor::Column::Id, after, limit).await?;
    Ok(snapshot_page::<VendorSnapshot, _>(rows, limit, |row| Ok(as_is(replies::vendor_state(&row))))?)
}

/// A page of clinics.
pub async fn clinics(cx: Cx, request: ClinicSnapshot) -> Result<SnapshotPage<ClinicState>, NoError> {
    let ClinicSnapshot { after, limit } = request;
    let rows = snapshot_rows::<clinic::Entity>(cx.app.store.read(), clinic::Column::Id, after, limit).await?;
    Ok(snapshot_page::<ClinicSnapshot, _>(rows, limit, |row| Ok(as_is(replies::clinic_state(&row)?)))?)
}

/// A page of services.
pub async fn services(cx: Cx, request: ServiceSnapshot) -> Result<SnapshotPage<ServiceState>, NoError> {
    let ServiceSnapshot { after, limit } = request;
    let rows = snapshot_rows::<service::Entity>(cx.app.store.read(), service::Column::Id, after, limit).await?;
    Ok(snapshot_page::<ServiceSnapshot, _>(rows, limit, |row| Ok(as_is(replies::service_state(&row)?)))?)
}

/// A page of staff.
pub async fn staff(cx: Cx, request: StaffSnapshot) -> Result<SnapshotPage<StaffState>, NoError> {
    let StaffSnapshot { after, limit } = request;
    let members = snapshots::staff(cx.app.store.read(), after, limit).await?;
    Ok(snapshot_page::<StaffSnapshot, _>(members, limit, |member| Ok(as_is(replies::staff_state(&member)?)))?)
}

/// A page of opening hours.
pub async fn hours(cx: Cx, request: HoursSnapshot) -> Result<SnapshotPage<HoursState>, NoError> {
    let HoursSnapshot { after, limit } = request;
    let clinics = snapshots::hours(cx.app.store.read(), after, limit).await?;
    let item = |(clinic, hours): (clinic::Model, _)| Ok(as_is(replies::hours_state(&clinic, hours)));
    Ok(snapshot_page::<HoursSnapshot, _>(clinics, limit, item)?)
}

/// A page of memberships.
pub async fn memberships(cx: Cx, request: MembershipSnapshot) -> Result<SnapshotPage<MembershipState>, NoError> {
    let MembershipSnapshot { after, limit } = request;
    let rows = snapshot_rows::<membership::Entity>(cx.app.store.read(), membership::Column::Id, after, limit).await?;
    let item = |row: membership::Model| -> Result<SnapshotItem<MembershipState>, Fault> {
        let removed = row.status == MembershipStatus::Revoked;
        Ok(SnapshotItem { state: replies::membership_state(&row), removed })
    };
    Ok(snapshot_page::<MembershipSnapshot, _>(rows, limit, item)?)
}

fn as_is<State>(state: State) -> SnapshotItem<State> {
    SnapshotItem { state, removed: false }
}
