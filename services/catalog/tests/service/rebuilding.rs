//! Read models that are built from the vendor service's snapshots, and compared with them.

use catalog::CatalogApp;
use platform::{App, Cx, Service};
use std::time::Duration;
use store::projection::{Comparison, compare, rebuild_page};
use subjects::ids::{MembershipId, UserId, VendorId};
use subjects::vendor::{
    MembershipSnapshot, MembershipState, VendorApproved, VendorKind, VendorSnapshot, VendorState, VendorStatus,
    VendorUpdated,
};
use subjects::{MembershipRole, NoError};
use testmesh::{Mesh, Owned};

#[derive(Clone)]
struct VendorOwner {
    vendors: Owned<VendorSnapshot>,
    memberships: Owned<MembershipSnapshot>,
}

impl App for VendorOwner {
    const NAME: &'static str = "vendor";
}
platform::calls!(VendorOwner => []);

fn vendor_service() -> Service<VendorOwner> {
    Service::new()
        .on(|cx: Cx<VendorOwner>, asked: VendorSnapshot| async move {
            Ok::<_, NoError>(cx.app.vendors.page(asked.after, asked.limit).await)
        })
        .on(|cx: Cx<VendorOwner>, asked: MembershipSnapshot| async move {
            Ok::<_, NoError>(cx.app.memberships.page(asked.after, asked.limit).await)
        })
        .publishes_events()
}

fn approved() -> VendorState {
    let (vendor_id, kind, status) = (VendorId::new(), VendorKind::Shop, VendorStatus::Approved);
    VendorState { vendor_id, kind, status, removed: false, version: 2 }
}

fn membership(vendor_id: VendorId) -> MembershipState {
    MembershipState {
        membership_id: MembershipId::new(),
        user_id: UserId::new(),
        vendor_id,
        clinic_id: None,
        role: MembershipRole::ClinicAdmin,
        active: true,
        version: 1,
    }
}

/// Fifteen vendors with a member each, and the service, which has built its models from them.
async fn built() -> (VendorOwner, Mesh, Cx<CatalogApp>) {
    let owner = VendorOwner {
        vendors: Owned::in_pages(4, Duration::from_millis(2)),
        memberships: Owned::in_pages(4, Duration::from_millis(2)),
    };
    for _ in 0..15 {
        let state = approved();
        owner.memberships.put(membership(state.vendor_id));
        owner.vendors.put(state);
    }
    let seat = owner.clone();
    let mesh = Mesh::of("catalog")
        .with(vendor_service(), async |_| Ok(seat))
        .with(catalog::service(), catalog::app)
        .start()
        .await;
    mesh.until_query("select count(*) from built_read_models", 2).await;
    let cx = mesh.own_cx(catalog::app).await;
    (owner, mesh, cx)
}

fn equal() -> Comparison {
    Comparison { examined: 15, ..Comparison::default() }
}

#[tokio::test]
async fn spoiled_models_equal_their_sources_again() {
    let (_owner, mesh, cx) = built().await;
    for (model, spoil) in [("vendors", "open_for_business = false"), ("memberships", "vendor_id = user_id")] {
        assert_eq!(compare(&cx, model).await, Ok(equal()), "{model}");
        mesh.execute(&format!("update {model} set {spoil}")).await;
        mesh.execute(&format!("delete from {model} where id in (select id from {model} limit 4)")).await;
        let surplus = "(jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid(), 'version', 7))).*";
        mesh.execute(&format!("insert into {model} select {surplus} from {model} as t limit 3")).await;
        let found = Comparison { examined: 15, missing: 4, stale: 11, surplus: 3 };
        assert_eq!(compare(&cx, model).await, Ok(found), "{model}");
        let built = rebuild_page(&cx, model, None).await.unwrap();
        assert_eq!((built.changed, built.removed, built.next_cursor), (15, 3, None), "{model}");
        assert_eq!(compare(&cx, model).await, Ok(equal()), "{model}");
    }
    // What the vendor service does not have sells nothing and gives no rights.
    assert_eq!(mesh.number("select count(*) from vendors where open_for_business").await, 15);
    assert_eq!(mesh.number("select count(*) from memberships where active").await, 15);
    mesh.execute("truncate vendors, memberships").await;
    for model in ["vendors", "memberships"] {
        assert_eq!(rebuild_page(&cx, model, None).await.unwrap().changed, 15, "{model}");
        assert_eq!(compare(&cx, model).await, Ok(equal()), "{model}");
    }
}

#[tokio::test]
async fn vendors_that_come_and_go_while_the_model_is_built_are_neither_lost_nor_kept() {
    let (owner, mesh, cx) = built().await;
    let changing = async {
        for _ in 0..40 {
            let born = approved();
            owner.vendors.put(born.clone());
            mesh.tell(&VendorApproved(born)).await;
            let gone = owner.vendors.states().remove(3);
            owner.vendors.forget(gone.vendor_id);
            mesh.tell(&VendorUpdated(VendorState { removed: true, version: 3, ..gone })).await;
        }
    };
    let building = async {
        for _ in 0..6 {
            rebuild_page(&cx, "vendors", None).await.unwrap();
        }
    };
    tokio::join!(changing, building);
    mesh.until_query("select count(*) from inbox where handler in ('vendor_approved', 'vendor_updated')", 80).await;
    assert_eq!(compare(&cx, "vendors").await, Ok(equal()));
    assert_eq!(mesh.number("select count(*) from vendors where open_for_business and removed_at is null").await, 15);
    assert_eq!(mesh.number("select count(*) from vendors where removed_at is not null").await, 40);
}
