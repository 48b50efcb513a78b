//! Profiles.

use crate::world;
use serde_json::json;
use subjects::auth::{UserRegistered, UserState, UserStatus};
use subjects::ids::UserId;
use subjects::role::BuiltInRole;
use testmesh::{Asker, customer, personal, platform_admin};

#[tokio::test]
async fn everybody_has_a_profile_from_the_beginning() {
    let mesh = world::start().await;
    let sari = customer();
    let empty = mesh.ask("profile.findOne", json!({})).by(&sari).ok().await;
    assert_eq!(empty, json!({ "userId": sari.id(), "version": 1 }));

    // Whether the row came by the event or not, the first change is based on version 1.
    let state = UserState {
        user_id: sari.id(),
        version: 1,
        status: UserStatus::Active,
        roles: vec![BuiltInRole::Customer],
        other_roles: Vec::new(),
        created_at: chrono::Utc::now(),
        updated_at: chrono::Utc::now(),
    };
    mesh.tell(&UserRegistered(state)).await;
    mesh.until_query("select count(*) from profiles", 1).await;
    assert_eq!(mesh.ask("profile.findOne", json!({})).by(&sari).ok().await, empty);
    for person in [sari, customer()] {
        let told = json!({ "displayName": personal::text("Sari 🐈"), "bio": personal::text("Suka kucing"), "birthDate": "1990-02-28" });
        let changed = mesh.ask("profile.update", told).by(&person).based_on(1).ok().await;
        assert_eq!((&changed["version"], &changed["displayName"]), (&json!(2), &json!(personal::text("Sari 🐈"))));
        assert!(changed["updatedAt"].is_string());
        assert_eq!(mesh.ask("profile.findOne", json!({ "userId": person.id() })).by(&person).ok().await, changed);
    }
}

#[tokio::test]
async fn a_change_touches_what_it_names_and_tells_nothing_personal() {
    let mesh = world::start().await;
    let sari = customer();
    let mut events = mesh.listen().await;
    let change = |body| mesh.ask("profile.update", body).by(&sari);
    let told = json!({ "displayName": personal::text("Sari"), "bio": personal::text("Suka kucing"), "avatarUrl": "https://cdn.example/sari.jpg" });
    change(told).based_on(1).ok().await;
    let event = events.next("profile.updated").await;
    assert_eq!(event, json!({ "userId": sari.id(), "removed": false, "version": 2 }));

    let without_bio = change(json!({ "bio": null })).based_on(2).ok().await;
    assert_eq!((&without_bio["displayName"], &without_bio["bio"]), (&json!(personal::text("Sari")), &json!(null)));
    assert_eq!(change(json!({ "bio": "x" })).based_on(2).refusal().await, "version_mismatch");
    assert_eq!(change(json!({ "bio": "x" })).refusal().await, "precondition_required");

    let once = change(json!({ "bio": "Suka anjing" })).based_on(3).under_key("k").ok().await;
    assert_eq!(change(json!({ "bio": "Suka anjing" })).based_on(3).under_key("k").ok().await, once);
    assert_eq!(mesh.told("profile.updated").await, 3);
}

#[tokio::test]
async fn others_profiles_are_for_those_who_run_the_platform_and_for_services() {
    let mesh = world::start().await;
    let (sari, stranger, admin) = (customer(), customer(), platform_admin());
    mesh.ask("profile.update", json!({ "displayName": personal::text("Sari") })).by(&sari).based_on(1).ok().await;
    let of_sari = json!({ "userId": sari.id() });
    let read = |who: &Asker| mesh.ask("profile.findOne", of_sari.clone()).by(who);
    assert_eq!(read(&stranger).refusal().await, "profile_not_found");
    assert_eq!(read(&Asker::Nobody).refusal().await, "unauthenticated");
    assert_eq!(read(&admin).ok().await["displayName"], personal::text("Sari"));
    assert_eq!(read(&Asker::Service("booking")).ok().await["displayName"], personal::text("Sari"));
    let nobody = json!({ "userId": UserId::new() });
    assert_eq!(mesh.ask("profile.findOne", nobody).by(&admin).refusal().await, "profile_not_found");
    let of_nobody = mesh.ask("profile.findOne", json!({})).by(&Asker::Service("booking"));
    assert_eq!(of_nobody.refusal().await, "unauthenticated");

    let change = json!({ "userId": sari.id(), "displayName": "Saria" });
    let changing = |who: &Asker| mesh.ask("profile.update", change.clone()).by(who).based_on(2);
    assert_eq!(changing(&stranger).refusal().await, "profile_not_found");
    assert_eq!(changing(&admin).ok().await["displayName"], "Saria");
}
