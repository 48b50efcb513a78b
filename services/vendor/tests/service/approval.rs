use crate::business::{Business, new_vendor};
use crate::world::{Asker, World, customer, platform_admin};
use serde_json::{Value, json};

/// How many of these the asker finds at a business: the vendor, its clinic, its service, its staff, its hours.
async fn sees(world: &World, asker: &Asker, business: &Business) -> [bool; 5] {
    let by_id = async |subject: &str, body: Value| world.ask(subject, body).by(asker).send().await.is_ok();
    let listed = async |subject: &str| {
        let body = json!({ "vendorId": business.vendor_id });
        let page = world.ask(subject, body).by(asker).ok().await;
        !page["items"].as_array().unwrap().is_empty()
    };
    let seen = [
        by_id("vendor.findOne", json!({ "id": business.vendor_id })).await,
        by_id("clinic.findOne", json!({ "id": business.clinic_id })).await,
        by_id("service.findOne", json!({ "id": business.service_id })).await,
        by_id("staff.findOne", json!({ "id": business.staff_id })).await,
        by_id("hours.findOne", json!({ "clinicId": business.clinic_id })).await,
    ];
    let in_lists = [listed("clinic.findAll").await, listed("service.findAll").await, listed("staff.findAll").await];
    assert_eq!(in_lists, [seen[1], seen[2], seen[3]], "lists and single reads disagree");
    let vendors = world.ask("vendor.findAll", json!({})).by(asker).ok().await;
    let is_listed = vendors["items"].as_array().unwrap().iter().any(|vendor| vendor["id"] == business.vendor_id);
    assert_eq!(is_listed, seen[0]);
    seen
}

#[tokio::test]
async fn a_vendor_is_seen_by_the_public_once_it_is_approved() {
    let world = World::start().await;
    let mut events = world.listen().await;
    let business = Business::found(&world, "Klinik Sari").await;
    let registered = events.next("vendor.registered").await;
    assert_eq!((&registered["vendorId"], &registered["status"]), (&business.vendor_id, &json!("draft")));
    assert!(!registered.to_string().contains("Sari"));

    let (public, admin) = (Asker::Nobody, platform_admin());
    let id = json!({ "id": business.vendor_id });
    let step = async |subject: &str, asker: &Asker| world.ask(subject, id.clone()).by(asker).send().await;
    assert_eq!(sees(&world, &public, &business).await, [false; 5]);
    assert_eq!(sees(&world, &customer(), &business).await, [false; 5]);
    assert_eq!(sees(&world, &business.owner, &business).await, [true; 5]);
    assert_eq!(sees(&world, &admin, &business).await, [true; 5]);

    assert_eq!(step("vendor.approve", &admin).await.unwrap_err().reason, "vendor_wrong_state");
    assert_eq!(step("vendor.submit", &business.owner).await.unwrap()["status"], "submitted");
    assert_eq!(events.next("vendor.updated").await["status"], "submitted");
    assert_eq!(sees(&world, &public, &business).await, [false; 5]);

    let approved = step("vendor.approve", &admin).await.unwrap();
    assert_eq!((&approved["status"], &approved["version"]), (&json!("approved"), &json!(3)));
    assert_eq!(step("vendor.approve", &admin).await.unwrap(), approved);
    assert_eq!(events.next("vendor.approved").await["version"], 3);
    assert_eq!(sees(&world, &public, &business).await, [true; 5]);

    let suspend = json!({ "id": business.vendor_id, "reason": "the licence has expired" });
    world.ask("vendor.suspend", suspend).by(&admin).ok().await;
    assert_eq!(events.next("vendor.suspended").await["version"], 4);
    assert_eq!(sees(&world, &public, &business).await, [false; 5]);
    let for_owner = world.ask("vendor.findOne", id.clone()).by(&business.owner).ok().await;
    assert_eq!(for_owner["statusReason"], "the licence has expired");

    let back = step("vendor.approve", &admin).await.unwrap();
    assert_eq!((&back["status"], back.get("statusReason")), (&json!("approved"), None));
    assert_eq!(sees(&world, &public, &business).await, [true; 5]);
}

#[tokio::test]
async fn what_is_not_active_is_hidden_from_the_public_alone() {
    let world = World::start().await;
    let business = Business::open(&world, "Klinik Sari").await;
    world.execute("update staff set active = false").await;
    assert_eq!(sees(&world, &Asker::Nobody, &business).await, [true, true, true, false, true]);
    world.execute("update clinic_services set active = false").await;
    assert_eq!(sees(&world, &Asker::Nobody, &business).await, [true, true, false, false, true]);
    world.execute("update clinics set active = false").await;
    assert_eq!(sees(&world, &Asker::Nobody, &business).await, [true, false, false, false, false]);
    assert_eq!(sees(&world, &business.owner, &business).await, [true; 5]);
}

#[tokio::test]
async fn a_rejected_vendor_knows_why_and_may_ask_again() {
    let world = World::start().await;
    let owner = customer();
    let vendor = world.ask("vendor.create", new_vendor("Klinik Sari")).by(&owner).ok().await;
    let id = json!({ "id": vendor["id"] });
    world.ask("vendor.submit", id.clone()).by(&owner).ok().await;
    let reject = json!({ "id": vendor["id"], "reason": "no licence" });
    world.ask("vendor.reject", reject).by(&platform_admin()).ok().await;
    let rejected = world.ask("vendor.findOne", id.clone()).by(&owner).ok().await;
    assert_eq!((&rejected["status"], &rejected["statusReason"]), (&json!("rejected"), &json!("no licence")));
    assert_eq!(world.ask("vendor.submit", id).by(&owner).ok().await["status"], "submitted");
}

#[tokio::test]
async fn a_removed_vendor_takes_everything_along_and_tells_of_it() {
    let world = World::start().await;
    let business = Business::open(&world, "Klinik Sari").await;
    world.ask("vendor.remove", json!({ "id": business.vendor_id })).by(&business.owner).ok().await;
    assert_eq!(sees(&world, &platform_admin(), &business).await, [false; 5]);
    let last_events = "select string_agg(type, ' ' order by id) from outbox o where not exists (select from outbox \
                       later where later.aggregate_id = o.aggregate_id and later.version > o.version \
                       and split_part(later.type, '.', 1) = split_part(o.type, '.', 1))";
    assert_eq!(
        world.query(last_events).await,
        "staff.removed service.removed clinic.updated hours.updated membership.revoked membership.revoked vendor.updated"
    );
    let left =
        "select (select count(*) from clinics) + (select count(*) from staff) + (select count(*) from memberships)";
    assert_eq!(world.query(&format!("select ({left})::text")).await, "0");
    let missing = world.ask("vendor.remove", json!({ "id": business.vendor_id })).by(&business.owner);
    assert_eq!(missing.refusal().await, "vendor_not_found");
}
