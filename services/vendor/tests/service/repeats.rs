//! A change whose answer was lost can be asked for again under its key.

use crate::business::Business;
use crate::tenancy::{current_version, request, writes_of_members};
use crate::world::{World, platform_admin};
use serde_json::json;
use subjects::ErrorCode;

#[tokio::test]
async fn every_change_is_made_once_under_its_key_and_answered_again() {
    let world = World::start().await;
    for operation in writes_of_members() {
        let target = Business::found(&world, "Target").await;
        let asker = if operation.subject == "membership.accept" { &target.invited } else { &target.owner };
        let (body, version) = (request(operation.subject, &target), current_version(operation.subject));
        let ask = || world.ask(operation.subject, body.clone()).by(asker).based_on(version).under_key("key-1");
        let first = ask().ok().await;
        let rows = world.own_rows().await;
        assert_eq!(ask().ok().await, first, "{}", operation.subject);
        assert_eq!(world.own_rows().await, rows, "{} was done twice", operation.subject);
    }
}

#[tokio::test]
async fn so_is_every_step_of_an_approval() {
    let world = World::start().await;
    let admin = platform_admin();
    let step = async |subject: &str, target: &Business, version: i64| {
        let asker = if subject == "vendor.submit" { &target.owner } else { &admin };
        let ask = || world.ask(subject, request(subject, target)).by(asker).based_on(version);
        let key = target.vendor_id.as_str().unwrap();
        let first = ask().under_key(key).ok().await;
        let rows = world.own_rows().await;
        assert_eq!(ask().under_key(key).ok().await, first, "{subject}");
        assert_eq!(ask().refusal().await, "version_mismatch", "{subject}");
        assert_eq!(world.own_rows().await, rows, "{subject} was done twice");
        first["status"].as_str().unwrap().to_owned()
    };
    let approved = Business::found(&world, "Klinik Sari").await;
    assert_eq!(step("vendor.submit", &approved, 1).await, "submitted");
    assert_eq!(step("vendor.approve", &approved, 2).await, "approved");
    assert_eq!(step("vendor.suspend", &approved, 3).await, "suspended");
    let rejected = Business::found(&world, "Klinik Dewi").await;
    assert_eq!(step("vendor.submit", &rejected, 1).await, "submitted");
    assert_eq!(step("vendor.reject", &rejected, 2).await, "rejected");
}

#[tokio::test]
async fn a_removal_asked_for_many_times_at_once_is_one() {
    let world = World::start().await;
    let business = Business::open(&world, "Klinik Sari").await;
    let remove = || world.ask("service.remove", json!({ "id": business.service_id })).by(&business.owner);
    let racing = futures::future::join_all((0..6).map(|_| remove().under_key("key-1").send())).await;
    assert!(racing.iter().all(Result::is_ok), "{racing:?}");
    let told = "select count(*)::text from outbox where type = 'service.removed'";
    assert_eq!(world.query(told).await, "1");

    // The key stands for the removal of this service alone; without it there is nothing to remove any more.
    let other = world.ask("service.remove", json!({ "id": business.staff_id })).by(&business.owner);
    assert_eq!(other.under_key("key-1").send().await.unwrap_err().code, ErrorCode::Unprocessable);
    assert_eq!(remove().refusal().await, "service_not_found");
}

#[tokio::test]
async fn what_was_refused_for_its_version_may_succeed_under_the_same_key() {
    let world = World::start().await;
    let business = Business::open(&world, "Klinik Sari").await;
    let update = || world.ask("vendor.update", request("vendor.update", &business)).by(&business.owner);
    assert_eq!(update().based_on(9).under_key("key-1").refusal().await, "version_mismatch");
    let updated = update().based_on(3).under_key("key-1").ok().await;
    assert_eq!(updated["version"], 4);
    assert_eq!(update().based_on(3).under_key("key-1").ok().await, updated);
    // The version is a part of what is asked for.
    let other_version = update().based_on(4).under_key("key-1").send().await.unwrap_err();
    assert_eq!(other_version.code, ErrorCode::Unprocessable);
}
