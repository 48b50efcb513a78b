//! Telling what is kept of a person, and erasing it.

use crate::business::Business;
use crate::world::{Asker, World, customer, platform_admin};
use serde_json::json;

const PROFILE: Asker = Asker::Service("profile");

#[tokio::test]
async fn who_had_themselves_erased_works_nowhere_and_is_nobody() {
    let world = World::start().await;
    let business = Business::found(&world, "Klinik Sari").await;
    let Business { owner, invited, vendor_id, membership_id, .. } = &business;
    let accept = json!({ "vendorId": vendor_id, "id": membership_id });
    world.ask("membership.accept", accept).by(invited).ok().await;
    let clinic_id = world.query("select id from clinics limit 1").await;
    let staff = json!({
        "clinicId": clinic_id, "displayName": "drh. Ratnaunik", "title": "Wulanunik surgeon", "serviceIds": [],
        "userId": invited.id(),
    });
    let staff_id = world.ask("staff.create", staff).by(owner).under_key("k").ok().await["id"].clone();

    let whole = world.ask("vendor.exportPerson", json!({ "userId": invited.id() })).by(&PROFILE).ok().await;
    let kinds: Vec<&str> = whole["rows"].as_array().unwrap().iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["membership", "staffMember"]);
    assert!(whole.to_string().contains("drh. Ratnaunik") && whole.to_string().contains("Wulanunik surgeon"));

    let mut events = world.listen().await;
    let erase = json!({ "userId": invited.id() });
    assert_eq!(world.ask("vendor.erasePerson", erase.clone()).by(&PROFILE).ok().await, json!({ "complete": true }));
    assert_eq!(events.next("membership.revoked").await["userId"], json!(invited.id()));
    let updated = events.next("staff.updated").await;
    assert_eq!((&updated["staffId"], &updated["active"]), (&staff_id, &json!(false)));
    let rows = world.all_rows().await;
    assert!(!rows.contains("Ratnaunik") && !rows.contains("Wulanunik"), "{rows}");
    let version = world.query("select version from staff where display_name = 'Former staff member'").await;
    world.ask("vendor.erasePerson", erase).by(&PROFILE).ok().await;
    assert_eq!(world.query("select version from staff where display_name = 'Former staff member'").await, version);
    // The other one still runs it.
    world.ask("vendor.findOne", json!({ "id": vendor_id })).by(owner).ok().await;
    let running = "select count(*) from memberships where status = 'active' and role = 'clinic_admin'";
    assert_eq!(world.number(running).await, 1);
}

#[tokio::test]
async fn a_vendor_that_nobody_runs_any_more_cannot_be_reached_through_its_owner() {
    let world = World::start().await;
    let owner = customer();
    let create = json!({
        "name": "Klinik Sepi", "kind": "clinic", "email": "ratnaunik@example.com", "phone": "+62 899 7766 5544",
    });
    let vendor = world.ask("vendor.create", create).by(&owner).under_key("k").ok().await;
    // The answer to another is stored as well, and tells how to reach the owner.
    let id = json!({ "id": vendor["id"] });
    world.ask("vendor.submit", id.clone()).by(&owner).ok().await;
    world.ask("vendor.approve", id).by(&platform_admin()).under_key("k").ok().await;
    let whole = world.ask("vendor.exportPerson", json!({ "userId": owner.id() })).by(&PROFILE).ok().await.to_string();
    assert!(whole.contains("ratnaunik@example.com") && whole.contains("+62 899 7766 5544"), "{whole}");
    for asker in [Asker::Service("booking"), Asker::Service("auth")] {
        let refused = world.ask("vendor.erasePerson", json!({ "userId": owner.id() })).by(&asker).refusal().await;
        assert_eq!(refused, "forbidden");
    }
    let mut events = world.listen().await;
    world.ask("vendor.erasePerson", json!({ "userId": owner.id() })).by(&PROFILE).ok().await;
    assert_eq!(events.next("vendor.updated").await["vendorId"], vendor["id"]);
    let rows = world.all_rows().await;
    assert!(!rows.contains("ratnaunik") && !rows.contains("7766 5544"), "{rows}");
    assert!(rows.contains("Klinik Sepi"), "the business stays");
}

#[tokio::test]
async fn a_name_that_was_told_before_the_account_was_known_is_forgotten_as_well() {
    let world = World::start().await;
    let Business { owner, invited, clinic_id, membership_id, vendor_id, .. } =
        &Business::found(&world, "Klinik Sari").await;
    world.ask("membership.accept", json!({ "vendorId": vendor_id, "id": membership_id })).by(invited).ok().await;
    let mut staff = json!({ "clinicId": clinic_id, "displayName": "drh. Ratnaunik", "serviceIds": [] });
    let made = world.ask("staff.create", staff.clone()).by(owner).under_key("k").ok().await;
    // Stored answers of the owner's: the first one does not say whose name it is.
    staff = json!({
        "id": made["id"], "displayName": "drh. Ratnaunik", "clinicIds": [clinic_id], "serviceIds": [],
        "userId": invited.id(), "active": true,
    });
    world.ask("staff.update", staff).by(owner).based_on(1).under_key("k").ok().await;
    world.ask("vendor.erasePerson", json!({ "userId": invited.id() })).by(&PROFILE).ok().await;
    let rows = world.all_rows().await;
    assert!(!rows.contains("Ratnaunik"), "{rows}");
}

#[tokio::test]
async fn a_vendor_keeps_its_address_when_somebody_goes_who_only_worked_there() {
    let world = World::start().await;
    let business = Business::found(&world, "Klinik Sari").await;
    let Business { owner, invited, membership_id, vendor_id, .. } = &business;
    world.ask("membership.accept", json!({ "vendorId": vendor_id, "id": membership_id })).by(invited).ok().await;
    // Whoever ran it is gone; those who run the platform have written down how it is reached now.
    world.ask("vendor.erasePerson", json!({ "userId": owner.id() })).by(&PROFILE).ok().await;
    world.execute("update vendors set email = 'klinik@example.com'").await;
    let whole = world.ask("vendor.exportPerson", json!({ "userId": invited.id() })).by(&PROFILE).ok().await;
    assert!(!whole.to_string().contains("klinik@example.com"), "{whole}");
    world.ask("vendor.erasePerson", json!({ "userId": invited.id() })).by(&PROFILE).ok().await;
    assert_eq!(world.query("select email from vendors").await, "klinik@example.com");
}
