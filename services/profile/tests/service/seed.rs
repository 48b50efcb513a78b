//! Demo data.

use crate::world;
use profile::seed::{DemoPeople, Seeded, demo_households, pet_id};
use serde_json::json;
use testmesh::customer;

#[tokio::test]
async fn demo_households_are_made_once() {
    let mesh = world::start().await;
    let (budi, siti) = (customer(), customer());
    let people = DemoPeople { cat_owner: budi.id(), dog_owner: siti.id() };
    let cx = mesh.own_cx(profile::app).await;
    assert_eq!(demo_households(&cx, people).await.unwrap(), Seeded { pets_made: 3, pets_found: 0 });
    let before = mesh.own_rows().await;
    assert_eq!(demo_households(&cx, people).await.unwrap(), Seeded { pets_made: 0, pets_found: 3 });
    assert_eq!(mesh.own_rows().await, before);

    let pets = mesh.ask("pet.findAll", json!({})).by(&siti).ok().await;
    assert_eq!(pets["items"].as_array().unwrap().len(), 3);
    let cat = mesh.ask("pet.findOne", json!({ "id": pet_id(0) })).by(&siti).ok().await;
    assert_eq!((&cat["name"], &cat["access"]), (&json!("Oyen"), &json!("carer")));
    let records = mesh.ask("petRecord.findAll", json!({ "petId": pet_id(0), "kind": "vaccination" })).by(&budi);
    assert_eq!(records.ok().await["items"].as_array().unwrap().len(), 2);
    let home = mesh.ask("address.findAll", json!({})).by(&budi).ok().await;
    assert_eq!(home["items"][0]["isDefault"], true);
}
