//! Many at once, on two instances.

use crate::household::{address, pet_of, with};
use crate::world;
use serde_json::json;
use std::collections::BTreeMap;
use testmesh::{Ask, customer, personal};
use tokio::task::JoinSet;

/// Asks all at once, and counts what came of it.
async fn outcomes(asks: Vec<Ask>) -> BTreeMap<String, usize> {
    let mut running = JoinSet::new();
    for ask in asks {
        running.spawn(async move { ask.send().await });
    }
    let mut counts = BTreeMap::new();
    while let Some(outcome) = running.join_next().await {
        let outcome = outcome.unwrap().map_or_else(|fault| fault.reason.into_owned(), |_| "ok".to_owned());
        *counts.entry(outcome).or_default() += 1;
    }
    counts
}

fn counts<const N: usize>(expected: [(&str, usize); N]) -> BTreeMap<String, usize> {
    expected.into_iter().map(|(outcome, count)| (outcome.to_owned(), count)).collect()
}

#[tokio::test]
async fn there_is_one_default_whatever_happens_at_once() {
    let mesh = world::start().await;
    let _second = mesh.start_another(profile::service(), profile::app).await;
    let sari = customer();
    let adding = |place: usize| {
        let body = with(address(&format!("Alamat {place}")), json!({ "isDefault": true }));
        mesh.ask("address.create", body).by(&sari)
    };
    let added = outcomes((0..30).map(adding).collect()).await;
    assert_eq!(added, counts([("ok", 20), ("too_many_addresses", 10)]));
    assert_eq!(mesh.query("select count(*) from addresses where is_default").await, "1");

    let found = mesh.ask("address.findAll", json!({})).by(&sari).ok().await;
    let changing = found["items"].as_array().unwrap().iter().map(|row| {
        let body = with(address("Rumah"), json!({ "id": row["id"], "isDefault": true }));
        mesh.ask("address.update", body).by(&sari).based_on(row["version"].as_i64().unwrap())
    });
    let changed = outcomes(changing.collect()).await;
    assert!(changed.keys().all(|outcome| ["ok", "version_mismatch"].contains(&outcome.as_str())), "{changed:?}");
    assert_eq!(mesh.query("select count(*) from addresses where is_default").await, "1");
    // The default moves as its bearers go.
    let removing = found["items"].as_array().unwrap().iter().take(19);
    let removing = removing.map(|row| mesh.ask("address.remove", json!({ "id": row["id"] })).by(&sari));
    assert_eq!(outcomes(removing.collect()).await, counts([("ok", 19)]));
    assert_eq!(mesh.query("select count(*) from addresses where is_default").await, "1");
}

#[tokio::test]
async fn the_fifty_first_pet_is_refused_however_many_come_at_once() {
    let mesh = world::start().await;
    let _second = mesh.start_another(profile::service(), profile::app).await;
    let sari = customer();
    let adding =
        |place: usize| mesh.ask("pet.create", json!({ "name": format!("{place}"), "species": "fish" })).by(&sari);
    let added = outcomes((0..60).map(adding).collect()).await;
    assert_eq!(added, counts([("ok", 50), ("too_many_pets", 10)]));
    assert_eq!(mesh.told("pet.created").await, 50);
}

#[tokio::test]
async fn one_code_lets_one_person_in() {
    let mesh = world::start().await;
    let _second = mesh.start_another(profile::service(), profile::app).await;
    let sari = customer();
    let pet = pet_of(&mesh, &sari).await;
    let invited = mesh.ask("petShare.create", json!({ "petId": pet["id"], "role": "carer" })).by(&sari).ok().await;
    let accepting = |_| mesh.ask("petShare.accept", json!({ "code": invited["code"] })).by(&customer());
    assert_eq!(outcomes((0..20).map(accepting).collect()).await, counts([("ok", 1), ("code_not_found", 19)]));
    assert_eq!(mesh.query("select count(*) from pet_shares where user_id is not null").await, "1");

    // The same person many times is one share too, and one event.
    let tono = customer();
    let invited = mesh.ask("petShare.create", json!({ "petId": pet["id"], "role": "viewer" })).by(&sari).ok().await;
    let accepting = |_| mesh.ask("petShare.accept", json!({ "code": invited["code"] })).by(&tono);
    assert_eq!(outcomes((0..20).map(accepting).collect()).await, counts([("ok", 20)]));
    assert_eq!(mesh.told("pet.updated").await, 2);
}

#[tokio::test]
async fn changes_based_on_one_version_happen_once() {
    let mesh = world::start().await;
    let _second = mesh.start_another(profile::service(), profile::app).await;
    let sari = customer();
    let pet = pet_of(&mesh, &sari).await;
    let once = counts([("ok", 1), ("version_mismatch", 9)]);
    let renaming = |place: usize| {
        let body = json!({ "id": pet["id"], "name": personal::text(&format!("Oyen {place}")), "species": "cat" });
        mesh.ask("pet.update", body).by(&sari).based_on(1)
    };
    assert_eq!(outcomes((0..10).map(renaming).collect()).await, once);
    // Also the first change of what has no row yet.
    let telling = |place: usize| {
        mesh.ask("profile.update", json!({ "displayName": personal::text(&format!("Sari {place}")) }))
            .by(&sari)
            .based_on(1)
    };
    assert_eq!(outcomes((0..10).map(telling).collect()).await, once);
    let choosing = |place: usize| {
        let language = if place.is_multiple_of(2) { "en" } else { "id" };
        mesh.ask("preference.update", json!({ "language": language })).by(&sari).based_on(1)
    };
    assert_eq!(outcomes((0..10).map(choosing).collect()).await, once);
}

#[tokio::test]
async fn a_record_is_corrected_once() {
    let mesh = world::start().await;
    let _second = mesh.start_another(profile::service(), profile::app).await;
    let sari = customer();
    let pet = pet_of(&mesh, &sari).await;
    let wrong = mesh
        .ask("petRecord.create", json!({ "petId": pet["id"], "note": personal::text("Betina") }))
        .by(&sari)
        .ok()
        .await;
    let correcting = |place: usize| {
        let body =
            json!({ "petId": pet["id"], "note": personal::text(&format!("Jantan {place}")), "replaces": wrong["id"] });
        mesh.ask("petRecord.create", body).by(&sari)
    };
    let corrected = outcomes((0..10).map(correcting).collect()).await;
    assert_eq!(corrected, counts([("ok", 1), ("record_replaced", 9)]));
}
