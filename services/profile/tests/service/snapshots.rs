//! What other services are told from which they build their read models of pets.

use crate::household::{pet_of, share, with};
use crate::world;
use serde_json::{Value, json};
use subjects::ErrorCode;
use testmesh::{Asker, Mesh, customer, platform_admin};

const BOOKING: Asker = Asker::Service("booking");

async fn snapshot(mesh: &Mesh, limit: usize) -> Vec<Value> {
    let mut items = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = mesh.ask("pet.snapshot", json!({ "after": after, "limit": limit })).by(&BOOKING).ok().await;
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page.get("next") {
            Some(next) => after = next.clone(),
            None => return items,
        }
    }
}

#[tokio::test]
async fn the_snapshot_tells_what_the_last_events_of_pets_told() {
    let mesh = world::start().await;
    let (sari, tono, dewi) = (customer(), customer(), customer());
    let mut pets = Vec::new();
    for _ in 0..5 {
        pets.push(pet_of(&mesh, &sari).await);
    }
    share(&mesh, &sari, &pets[0], "viewer", &tono).await;
    share(&mesh, &sari, &pets[0], "carer", &dewi).await;
    // An invitation that nobody has accepted.
    mesh.ask("petShare.create", json!({ "petId": pets[1]["id"], "role": "viewer" })).by(&sari).ok().await;
    let change = with(json!({ "name": "Belang", "species": "dog" }), json!({ "id": pets[2]["id"] }));
    mesh.ask("pet.update", change).by(&sari).based_on(1).ok().await;
    mesh.ask("pet.remove", json!({ "id": pets[3]["id"] })).by(&sari).ok().await;

    let last = "select jsonb_agg(body order by aggregate_id) from (
            select distinct on (aggregate_id) aggregate_id, body from outbox
            where type like 'pet.%' order by aggregate_id, version desc
        ) as last where body ->> 'removed' is distinct from 'true'";
    let last: Vec<Value> = serde_json::from_str(&mesh.query(last).await).unwrap();
    assert_eq!(last.len(), 4);
    for limit in [1, 3, 4, 500] {
        let items = snapshot(&mesh, limit).await;
        assert!(items.iter().all(|item| item["removed"] == false));
        let states: Vec<&Value> = items.iter().map(|item| &item["state"]).collect();
        assert_eq!(states, last.iter().collect::<Vec<_>>(), "in pages of {limit}");
    }
}

#[tokio::test]
async fn only_services_are_told_and_pages_are_bounded() {
    let mesh = world::start().await;
    for limit in [0, 501] {
        let fault = mesh.ask("pet.snapshot", json!({ "limit": limit })).by(&BOOKING).fault().await;
        assert_eq!((fault.code, fault.violations[0].pointer.as_str()), (ErrorCode::BadRequest, "/limit"));
    }
    assert_eq!(mesh.ask("pet.snapshot", json!({ "limit": 1 })).by(&BOOKING).ok().await, json!({ "items": [] }));
    let by_admin = mesh.ask("pet.snapshot", json!({ "limit": 1 })).by(&platform_admin());
    assert_eq!(by_admin.refusal().await, "call_not_permitted");
}
