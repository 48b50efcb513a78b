//! Addresses.

use crate::household::{address, with};
use crate::world;
use serde_json::{Value, json};
use testmesh::{Asker, Mesh, customer, personal};

async fn add(mesh: &Mesh, who: &Asker, label: &str, is_default: bool) -> Value {
    let body = with(address(label), json!({ "isDefault": is_default }));
    mesh.ask("address.create", body).by(who).ok().await
}

/// The labels of a person's addresses, the default's with a star.
async fn labels(mesh: &Mesh, who: &Asker) -> Vec<String> {
    let found = mesh.ask("address.findAll", json!({})).by(who).ok().await;
    let starred = |address: &Value| {
        let star = if address["isDefault"] == true { "*" } else { "" };
        format!("{}{star}", address["label"].as_str().unwrap())
    };
    found["items"].as_array().unwrap().iter().map(starred).collect()
}

#[tokio::test]
async fn whoever_has_addresses_has_exactly_one_default() {
    let mesh = world::start().await;
    let sari = customer();
    assert!(labels(&mesh, &sari).await.is_empty());
    let home = add(&mesh, &sari, "Rumah", false).await;
    assert_eq!(home["isDefault"], true);
    let work = add(&mesh, &sari, "Kantor", false).await;
    let parents = add(&mesh, &sari, "Orang tua", true).await;
    assert_eq!(labels(&mesh, &sari).await, ["Rumah", "Kantor", "Orang tua*"]);

    let change = |row: &Value, fields: Value, version: i64| {
        let body = with(with(address("Rumah"), json!({ "id": row["id"], "isDefault": false })), fields);
        mesh.ask("address.update", body).by(&sari).based_on(version)
    };
    assert_eq!(change(&parents, json!({ "label": "Orang tua" }), 1).refusal().await, "default_needed");
    // It lost the star, which was a change.
    assert_eq!(change(&home, json!({ "isDefault": true }), 1).refusal().await, "version_mismatch");
    let changed = change(&home, json!({ "isDefault": true, "notes": personal::text("Pagar hijau") }), 2).ok().await;
    assert_eq!((&changed["notes"], &changed["version"]), (&json!(personal::text("Pagar hijau")), &json!(3)));
    assert_eq!(labels(&mesh, &sari).await, ["Rumah*", "Kantor", "Orang tua"]);

    let remove = |row: &Value| mesh.ask("address.remove", json!({ "id": row["id"] })).by(&sari);
    assert_eq!(remove(&home).based_on(2).refusal().await, "version_mismatch");
    remove(&home).ok().await;
    assert_eq!(labels(&mesh, &sari).await, ["Kantor*", "Orang tua"]);
    assert_eq!(remove(&home).refusal().await, "address_not_found");
    remove(&parents).ok().await;
    remove(&work).ok().await;
    assert!(labels(&mesh, &sari).await.is_empty());
}

#[tokio::test]
async fn an_address_is_its_owners_and_readable_for_services() {
    let mesh = world::start().await;
    let (sari, stranger) = (customer(), customer());
    let coordinates = json!({ "latitude": -6.19, "longitude": 106.83 });
    let body = with(address("Rumah"), json!({ "coordinates": coordinates }));
    let home = mesh.ask("address.create", body).by(&sari).ok().await;
    assert_eq!(home["coordinates"], coordinates);
    let read = |who: &Asker| mesh.ask("address.findOne", json!({ "id": home["id"] })).by(who);
    assert_eq!(read(&sari).ok().await, home);
    assert_eq!(read(&Asker::Service("booking")).ok().await, home);
    assert_eq!(read(&stranger).refusal().await, "address_not_found");
    assert_eq!(read(&Asker::Nobody).refusal().await, "unauthenticated");

    let of_sari = json!({ "userId": sari.id() });
    let all = |who: &Asker| mesh.ask("address.findAll", of_sari.clone()).by(who);
    assert_eq!(all(&Asker::Service("booking")).ok().await["items"][0], home);
    assert_eq!(all(&stranger).refusal().await, "forbidden");

    let before = mesh.own_rows().await;
    let theirs = with(address("Punya saya"), json!({ "id": home["id"], "isDefault": true }));
    assert_eq!(mesh.ask("address.update", theirs).by(&stranger).based_on(1).refusal().await, "address_not_found");
    let removing = mesh.ask("address.remove", json!({ "id": home["id"] })).by(&stranger);
    assert_eq!(removing.refusal().await, "address_not_found");
    assert_eq!(mesh.own_rows().await, before);
}

#[tokio::test]
async fn events_tell_ids_only() {
    let mesh = world::start().await;
    let sari = customer();
    let mut events = mesh.listen().await;
    let home = add(&mesh, &sari, "Rumah", true).await;
    let added =
        json!({ "addressId": home["id"], "userId": sari.id(), "isDefault": true, "removed": false, "version": 1 });
    assert_eq!(events.next("address.updated").await, added);
    mesh.ask("address.remove", json!({ "id": home["id"] })).by(&sari).ok().await;
    let removed =
        json!({ "addressId": home["id"], "userId": sari.id(), "isDefault": false, "removed": true, "version": 2 });
    assert_eq!(events.next("address.updated").await, removed);
    assert_eq!(mesh.query("select count(*) from outbox where body::text ~* 'sulastri|cikini|811|rumah'").await, "0");
}

#[tokio::test]
async fn a_list_is_walked_page_by_page_up_to_its_bound() {
    let mesh = world::start().await;
    let sari = customer();
    for place in 0..20 {
        add(&mesh, &sari, &format!("Alamat {place}"), false).await;
    }
    let one_more = mesh.ask("address.create", address("Alamat 20")).by(&sari);
    assert_eq!(one_more.refusal().await, "too_many_addresses");
    for sort in ["createdAt", "-createdAt"] {
        let mut seen = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let body = with(json!({ "limit": 7, "sort": sort }), json!({ "cursor": cursor }));
            let page = mesh.ask("address.findAll", body).by(&sari).ok().await;
            seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["label"].clone()));
            cursor = page["nextCursor"].clone();
            if cursor.is_null() {
                break;
            }
            let other_way = if sort == "createdAt" { "-createdAt" } else { "createdAt" };
            let turned = mesh.ask("address.findAll", json!({ "cursor": cursor, "sort": other_way })).by(&sari);
            assert_eq!(turned.fault().await.violations[0].pointer, "/cursor");
        }
        let mut expected: Vec<Value> = (0..20).map(|place| format!("Alamat {place}").into()).collect();
        if sort == "-createdAt" {
            expected.reverse();
        }
        assert_eq!(seen, expected);
    }
}
