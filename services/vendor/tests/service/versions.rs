use crate::business::{Business, new_clinic, new_service, new_vendor, usual_week};
use crate::world::{World, customer};
use serde_json::{Value, json};
use subjects::ErrorCode;

#[tokio::test]
async fn a_lost_edit_is_refused() {
    let world = World::start().await;
    let business = Business::found(&world, "Klinik Sari").await;
    let mut change = new_vendor("Klinik Dewi");
    change["id"] = business.vendor_id.clone();
    let update = || world.ask("vendor.update", change.clone()).by(&business.owner);
    assert_eq!(update().send().await.unwrap_err().code, ErrorCode::PreconditionRequired);
    assert_eq!(update().based_on(2).send().await.unwrap_err().code, ErrorCode::PreconditionFailed);
    let racing = futures::future::join_all((0..8).map(|_| update().based_on(1).send())).await;
    assert_eq!(racing.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let lost = racing.iter().filter_map(|outcome| outcome.as_ref().err());
    assert!(lost.into_iter().all(|fault| fault.code == ErrorCode::PreconditionFailed));
    let now = world.ask("vendor.findOne", json!({ "id": business.vendor_id })).by(&business.owner).ok().await;
    assert_eq!((&now["name"], &now["version"]), (&json!("Klinik Dewi"), &json!(2)));
}

#[tokio::test]
async fn under_a_key_a_vendor_is_made_once() {
    let world = World::start().await;
    let owner = customer();
    let create = |name: &str| world.ask("vendor.create", new_vendor(name)).by(&owner).under_key("key-1");
    let racing = futures::future::join_all((0..6).map(|_| create("Klinik Sari").send())).await;
    let first = racing[0].as_ref().unwrap();
    assert!(racing.iter().all(|outcome| outcome.as_ref().unwrap() == first));
    assert_eq!(create("Klinik Dewi").send().await.unwrap_err().code, ErrorCode::Unprocessable);
    assert_eq!(world.query("select count(*)::text from vendors").await, "1");
}

#[tokio::test]
async fn the_schedule_has_a_version_of_its_own() {
    let world = World::start().await;
    let mut events = world.listen().await;
    let business = Business::found(&world, "Klinik Sari").await;
    let Business { owner, clinic_id, vendor_id, .. } = &business;
    assert_eq!(events.next("hours.updated").await["version"], 1);
    let told = events.next("hours.updated").await;
    assert_eq!((&told["version"], &told["hours"]["weekly"]), (&json!(2), &usual_week()));

    let exceptions = json!([
        { "date": "2026-03-20", "note": "Idul Fitri" },
        { "date": "2026-03-19", "intervals": [{ "opens": "08:00", "closes": "12:00" }] },
    ]);
    let change = json!({ "clinicId": clinic_id, "weekly": usual_week(), "exceptions": exceptions });
    let schedule = world.ask("hours.update", change).by(owner).based_on(2).ok().await;
    assert_eq!(schedule, world.ask("hours.findOne", json!({ "id": clinic_id })).by(owner).ok().await);
    assert_eq!(schedule["hours"]["exceptions"][0]["date"], "2026-03-19");
    assert_eq!(schedule["version"], 3);
    assert_eq!(events.next("hours.updated").await["hours"], schedule["hours"]);

    // Another zone moves the instants of the hours; another name does not.
    let mut change = new_clinic(vendor_id, "Klinik Dewi");
    change.as_object_mut().unwrap().remove("vendorId");
    change["id"] = clinic_id.clone();
    change["active"] = json!(true);
    world.ask("clinic.update", change.clone()).by(owner).based_on(1).ok().await;
    change["timeZone"] = json!("Asia/Makassar");
    world.ask("clinic.update", change).by(owner).based_on(2).ok().await;
    let moved = events.next("hours.updated").await;
    assert_eq!((&moved["version"], &moved["hours"]["timeZone"]), (&json!(4), &json!("Asia/Makassar")));
}

#[tokio::test]
async fn a_clinic_has_no_two_services_of_one_name() {
    let world = World::start().await;
    let business = Business::found(&world, "Klinik Sari").await;
    let create = |name: &str| world.ask("service.create", new_service(&business.clinic_id, name)).by(&business.owner);
    assert_eq!(create("KONSULTASI").refusal().await, "service_name_taken");
    // The refusal is kept under its key, and the transaction has left nothing behind.
    let under_key = || create("konsultasi").under_key("key-1").refusal();
    assert_eq!(
        (under_key().await, under_key().await),
        ("service_name_taken".to_owned(), "service_name_taken".to_owned())
    );
    assert_eq!(world.query("select count(*)::text from clinic_services").await, "1");
}

#[tokio::test]
async fn staff_lose_a_service_that_is_removed_and_are_told_anew() {
    let world = World::start().await;
    let business = Business::found(&world, "Klinik Sari").await;
    let mut events = world.listen().await;
    let Business { owner, service_id, staff_id, clinic_id, .. } = &business;
    world.ask("service.remove", json!({ "id": service_id })).by(owner).ok().await;
    let removed = events.next("service.removed").await;
    assert_eq!((&removed["active"], &removed["version"]), (&json!(false), &json!(2)));
    let changed = events.next("staff.updated").await;
    assert_eq!((&changed["serviceIds"], &changed["clinicIds"]), (&json!([]), &json!([clinic_id])));
    assert!(changed.get("displayName").is_none());

    world.ask("clinic.remove", json!({ "id": clinic_id })).by(owner).ok().await;
    assert_eq!(events.next("clinic.updated").await["removed"], true);
    assert_eq!(events.next("staff.updated").await["clinicIds"], json!([]));
    let staff = world.ask("staff.findOne", json!({ "id": staff_id })).by(owner).ok().await;
    assert_eq!((&staff["version"], &staff["clinicIds"]), (&json!(3), &json!([])));
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let world = World::start().await;
    let owner = customer();
    let bad =
        json!({ "name": " ", "kind": "clinic", "email": "nobody", "website": "javascript:alert(1)", "phone": "x" });
    let fault = world.ask("vendor.create", bad).by(&owner).send().await.unwrap_err();
    let mut pointers: Vec<&str> = fault.violations.iter().map(|violation| violation.pointer.as_str()).collect();
    pointers.sort_unstable();
    pointers.dedup();
    assert_eq!((fault.code, pointers), (ErrorCode::BadRequest, vec!["/email", "/name", "/phone", "/website"]));

    let business = Business::found(&world, "Klinik Sari").await;
    let overlapping: Vec<Value> =
        ["08:00", "09:00"].map(|opens| json!({ "day": "monday", "opens": opens, "closes": "10:00" })).to_vec();
    let hours = json!({ "clinicId": business.clinic_id, "weekly": overlapping });
    let fault = world.ask("hours.update", hours).by(&business.owner).based_on(2).send().await.unwrap_err();
    assert_eq!(fault.violations[0].pointer, "/weekly");
}
