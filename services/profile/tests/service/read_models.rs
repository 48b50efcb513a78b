//! What other services' events tell.

use crate::world;
use subjects::MembershipRole;
use subjects::ids::{MembershipId, UserId, VendorId};
use subjects::vendor::{MembershipChanged, MembershipRevoked, MembershipState};

fn membership(role: MembershipRole, version: i64) -> MembershipState {
    let (membership_id, user_id, vendor_id) = (MembershipId::new(), UserId::new(), VendorId::new());
    MembershipState { membership_id, user_id, vendor_id, clinic_id: None, role, active: true, version }
}

#[tokio::test]
async fn a_membership_that_vendor_tells_is_kept() {
    let mesh = world::start().await;
    let first = membership(MembershipRole::ClinicStaff, 1);
    mesh.tell(&MembershipChanged(first.clone())).await;
    mesh.until_query("select role from memberships where active", "clinic_staff").await;

    // Whatever comes late does not count any more.
    let promoted = MembershipState { role: MembershipRole::ClinicAdmin, version: 3, ..first.clone() };
    mesh.tell(&MembershipChanged(promoted)).await;
    mesh.tell(&MembershipChanged(MembershipState { version: 2, ..first.clone() })).await;
    mesh.until_query("select count(*) from inbox", 3).await;
    assert_eq!(mesh.query("select version || ' ' || role from memberships").await, "3 clinic_admin");

    mesh.tell(&MembershipRevoked(MembershipState { active: false, version: 4, ..first })).await;
    mesh.until_query("select count(*) from memberships where active", 0).await;
    assert_eq!(mesh.query("select removed_at is not null from memberships").await, "true");
}
