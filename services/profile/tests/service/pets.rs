//! Pets.

use crate::household::{pet_of, share, with};
use crate::world;
use serde_json::{Value, json};
use testmesh::{customer, personal};

#[tokio::test]
async fn a_pet_is_added_replaced_and_removed() {
    let mesh = world::start().await;
    let sari = customer();
    let mut events = mesh.listen().await;
    let body = json!({
        "name": personal::text("Oyen 🐈"), "species": "cat", "breed": personal::text("Kucing kampung"), "sex": "male", "neutered": true,
        "birthDate": "2021-05-17", "weightGrams": 5_400, "microchip": personal::MICROCHIP,
        "photoUrl": "https://cdn.example/oyen.jpg", "notes": personal::text("Takut timbangan"),
    });
    let made = mesh.ask("pet.create", body.clone()).by(&sari).under_key("k").ok().await;
    assert_eq!(mesh.ask("pet.create", body.clone()).by(&sari).under_key("k").ok().await, made);
    for (field, value) in body.as_object().unwrap() {
        assert_eq!(&made[field], value, "{field}");
    }
    assert_eq!((&made["access"], &made["sharedWith"], &made["version"]), (&json!("owner"), &json!([]), &json!(1)));
    let told = json!({
        "petId": made["id"], "ownerId": sari.id(), "species": "cat", "sharedWith": [], "removed": false, "version": 1,
    });
    assert_eq!(events.next("pet.created").await, told);

    let plain = json!({ "id": made["id"], "name": personal::text("Oyen"), "species": "cat" });
    let update = |version| mesh.ask("pet.update", plain.clone()).by(&sari).based_on(version);
    let replaced = update(1).ok().await;
    assert_eq!(
        (&replaced["sex"], &replaced["breed"], &replaced["version"]),
        (&json!("unknown"), &Value::Null, &json!(2))
    );
    assert_eq!(update(1).refusal().await, "version_mismatch");
    assert_eq!(mesh.ask("pet.update", plain).by(&sari).refusal().await, "precondition_required");
    assert_eq!(mesh.ask("pet.findOne", json!({ "id": made["id"] })).by(&sari).ok().await, replaced);
    events.next("pet.updated").await;

    mesh.ask("petRecord.create", json!({ "petId": made["id"], "note": personal::text("Sehat") })).by(&sari).ok().await;
    let remove = |version| mesh.ask("pet.remove", json!({ "id": made["id"] })).by(&sari).based_on(version);
    assert_eq!(remove(1).refusal().await, "version_mismatch");
    remove(2).ok().await;
    let tombstone = with(told, json!({ "removed": true, "version": 3 }));
    assert_eq!(events.next("pet.removed").await, tombstone);
    assert_eq!(mesh.ask("pet.findOne", json!({ "id": made["id"] })).by(&sari).refusal().await, "pet_not_found");
    assert_eq!(mesh.query("select count(*) from pet_records").await, "0");
    assert_eq!(mesh.query("select count(*) from outbox where body::text ~* 'oyen|kampung|takut|sehat'").await, "0");
}

#[tokio::test]
async fn a_microchip_is_in_one_pet() {
    let mesh = world::start().await;
    let (sari, tono) = (customer(), customer());
    let body = json!({ "name": personal::text("Oyen"), "species": "cat", "microchip": personal::MICROCHIP });
    let chipped = mesh.ask("pet.create", body.clone()).by(&sari).ok().await;
    assert_eq!(mesh.ask("pet.create", body.clone()).by(&tono).refusal().await, "microchip_taken");
    let other = pet_of(&mesh, &tono).await;
    let chipping = with(body.clone(), json!({ "id": other["id"] }));
    assert_eq!(mesh.ask("pet.update", chipping.clone()).by(&tono).based_on(1).refusal().await, "microchip_taken");
    // Its number is free once it is gone.
    mesh.ask("pet.remove", json!({ "id": chipped["id"] })).by(&sari).ok().await;
    assert_eq!(mesh.ask("pet.update", chipping).by(&tono).based_on(1).ok().await["microchip"], personal::MICROCHIP);
}

#[tokio::test]
async fn a_list_has_ones_own_pets_and_the_shared_ones() {
    let mesh = world::start().await;
    let (sari, tono) = (customer(), customer());
    let cat = pet_of(&mesh, &sari).await;
    let dog = mesh.ask("pet.create", json!({ "name": personal::text("Bruno"), "species": "dog" })).by(&tono).ok().await;
    pet_of(&mesh, &customer()).await;
    share(&mesh, &tono, &dog, "viewer", &sari).await;

    let names = async |filters: Value| -> Vec<String> {
        let found = mesh.ask("pet.findAll", filters).by(&sari).ok().await;
        let described = |pet: &Value| format!("{} {}", pet["name"].as_str().unwrap(), pet["access"].as_str().unwrap());
        found["items"].as_array().unwrap().iter().map(described).collect()
    };
    let (owned, viewed) = (personal::text("Oyen owner"), personal::text("Bruno viewer"));
    assert_eq!(names(json!({})).await, [owned.as_str(), viewed.as_str()]);
    assert_eq!(names(json!({ "sort": "-createdAt" })).await, [viewed.as_str(), owned.as_str()]);
    assert_eq!(names(json!({ "own": true })).await, [owned.as_str()]);
    assert_eq!(names(json!({ "own": false })).await, [viewed.as_str()]);
    assert_eq!(names(json!({ "species": "cat" })).await, [owned.as_str()]);
    assert!(names(json!({ "species": "fish" })).await.is_empty());

    let all = mesh.ask("pet.findAll", json!({})).by(&tono).ok().await;
    assert_eq!(all["items"][0]["sharedWith"], json!([sari.id()]));
    let of_sari = mesh.ask("pet.findAll", json!({})).by(&sari).ok().await;
    assert_eq!((&of_sari["items"][0]["id"], &of_sari["items"][1]["sharedWith"]), (&cat["id"], &Value::Null));
}
