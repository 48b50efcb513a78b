//! What is refused before anything is written, each violation at its place.

use crate::household::{address, pet_of, with};
use crate::world;
use serde_json::{Value, json};
use testmesh::{Asker, Mesh, customer, personal};

async fn pointers(mesh: &Mesh, who: &Asker, subject: &str, body: Value) -> Vec<String> {
    let fault = mesh.ask(subject, body.clone()).by(who).based_on(1).fault().await;
    assert_eq!(fault.code.as_str(), "bad_request", "{subject} {body}: {fault}");
    fault.violations.into_iter().map(|violation| violation.pointer).collect()
}

#[tokio::test]
async fn bad_input_is_refused_where_it_stands() {
    let mesh = world::start().await;
    let sari = customer();
    let pet = pet_of(&mesh, &sari).await;
    let before = mesh.own_rows().await;
    let check = async |subject: &str, body: Value, expected: &[&str]| {
        let found = pointers(&mesh, &sari, subject, body.clone()).await;
        // Of what may be absent altogether it may be said as a whole that it is not as it should be.
        let is_around = |pointer: &str, inner: &str| inner.starts_with(&format!("{pointer}/"));
        let mut exact: Vec<&str> = found
            .iter()
            .map(String::as_str)
            .filter(|pointer| !expected.iter().any(|inner| is_around(pointer, inner)))
            .collect();
        // More than one thing may be wrong in a place: no text at all is both too short and blank.
        exact.dedup();
        assert!(exact == expected || exact.is_empty(), "{subject} {body}: {found:?} instead of {expected:?}");
    };

    for (fields, pointer) in [
        (json!({ "displayName": "" }), "/displayName"),
        (json!({ "displayName": "a\u{0}b" }), "/displayName"),
        (json!({ "displayName": "x".repeat(81) }), "/displayName"),
        (json!({ "bio": "x".repeat(1_001) }), "/bio"),
        (json!({ "avatarUrl": "javascript:alert(1)" }), "/avatarUrl"),
        (json!({ "birthDate": "1812-01-01" }), "/birthDate"),
        (json!({ "birthDate": "2190-01-01" }), "/birthDate"),
        (json!({ "birthDate": "31-12-1990" }), "/birthDate"),
    ] {
        check("profile.update", fields, &[pointer]).await;
    }

    let place = |fields| with(address("Rumah"), json!({ "address": with(address("")["address"].clone(), fields) }));
    for (body, pointer) in [
        (place(json!({ "postalCode": "1033" })), "/address/postalCode"),
        (place(json!({ "postalCode": "10330\n" })), "/address/postalCode"),
        (place(json!({ "country": "SG" })), "/address/country"),
        (place(json!({ "rt": "0001" })), "/address/rt"),
        (place(json!({ "village": " " })), "/address/village"),
        (with(address("Rumah"), json!({ "label": "x".repeat(41) })), "/label"),
        (with(address("Rumah"), json!({ "phone": personal::text("besok") })), "/phone"),
        (with(address("Rumah"), json!({ "notes": "" })), "/notes"),
        (
            with(address("Rumah"), json!({ "coordinates": { "latitude": 91.0, "longitude": 0.0 } })),
            "/coordinates/latitude",
        ),
    ] {
        check("address.create", body, &[pointer]).await;
    }

    let body = |fields| with(json!({ "name": personal::text("Oyen"), "species": "cat" }), fields);
    for (fields, pointer) in [
        (json!({ "name": "  " }), "/name"),
        (json!({ "species": "dragon" }), "/species"),
        (json!({ "microchip": "12345678901234" }), "/microchip"),
        (json!({ "microchip": format!("{}x", personal::MICROCHIP) }), "/microchip"),
        (json!({ "weightGrams": 0 }), "/weightGrams"),
        (json!({ "weightGrams": 500_001 }), "/weightGrams"),
        (json!({ "weightGrams": -1 }), "/weightGrams"),
        (json!({ "birthDate": "2190-01-01" }), "/birthDate"),
        (json!({ "photoUrl": "ftp://cdn.example/oyen.jpg" }), "/photoUrl"),
        (json!({ "notes": "x".repeat(2_001) }), "/notes"),
    ] {
        check("pet.create", body(fields), &[pointer]).await;
    }
    let all_at_once = body(json!({ "name": "", "species": "dragon", "microchip": "1" }));
    check("pet.create", all_at_once, &["/microchip", "/name", "/species"]).await;

    let vaccination =
        |fields| json!({ "vaccination": with(json!({ "vaccine": "Rabies", "givenOn": "2026-01-10" }), fields) });
    let cases = [
        (json!({}), "/note"),
        (json!({ "note": personal::text("Sehat"), "weight": { "grams": 1, "measuredOn": "2026-01-10" } }), "/note"),
        (vaccination(json!({ "dueOn": "2026-01-10" })), "/vaccination/dueOn"),
        (vaccination(json!({ "givenOn": "2190-01-10" })), "/vaccination/givenOn"),
        (json!({ "weight": { "grams": 0, "measuredOn": "2026-01-10" } }), "/weight/grams"),
        (json!({ "weight": { "grams": 1, "measuredOn": "2190-01-10" } }), "/weight/measuredOn"),
        (json!({ "allergy": { "substance": "Ayam", "severity": "much" } }), "/allergy/severity"),
        (json!({ "note": "x".repeat(4_001) }), "/note"),
    ];
    for (fields, pointer) in cases {
        check("petRecord.create", with(json!({ "petId": pet["id"] }), fields), &[pointer]).await;
    }

    for (fields, pointer) in [
        (json!({ "language": "fr" }), "/language"),
        (json!({ "timeZone": "Jakarta" }), "/timeZone"),
        (json!({ "quietHours": { "from": "22:00", "to": "22:00" } }), "/quietHours/to"),
        (json!({ "quietHours": { "from": "24:00", "to": "06:00" } }), "/quietHours/from"),
        (json!({ "channels": { "sms": "yes" } }), "/channels/sms"),
    ] {
        check("preference.update", fields, &[pointer]).await;
    }
    check("pet.findAll", json!({ "cursor": "forged" }), &["/cursor"]).await;
    check("pet.findAll", json!({ "limit": 101 }), &["/limit"]).await;
    check("petShare.create", json!({ "petId": pet["id"], "role": "owner" }), &["/role"]).await;
    assert_eq!(mesh.own_rows().await, before);
}

#[tokio::test]
async fn another_persons_ids_lead_nowhere() {
    let mesh = world::start().await;
    let sari = customer();
    let pet = pet_of(&mesh, &customer()).await;
    let home = mesh.ask("address.create", address("Rumah")).by(&customer()).ok().await;
    let before = mesh.own_rows().await;
    let (id, home_id) = (&pet["id"], &home["id"]);
    let guesses = [
        ("pet.findOne", json!({ "id": id }), "pet_not_found"),
        ("pet.update", json!({ "id": id, "name": personal::text("Oyen"), "species": "cat" }), "pet_not_found"),
        ("pet.remove", json!({ "id": id }), "pet_not_found"),
        ("petRecord.findAll", json!({ "petId": id }), "pet_not_found"),
        ("petRecord.create", json!({ "petId": id, "note": "x" }), "pet_not_found"),
        ("petShare.findAll", json!({ "petId": id }), "pet_not_found"),
        ("petShare.create", json!({ "petId": id, "role": "carer" }), "pet_not_found"),
        ("petShare.revoke", json!({ "petId": id, "id": home_id }), "pet_not_found"),
        ("address.findOne", json!({ "id": home_id }), "address_not_found"),
        ("address.remove", json!({ "id": home_id }), "address_not_found"),
        // A pet's id is no address's.
        ("address.findOne", json!({ "id": id }), "address_not_found"),
    ];
    for (subject, body, reason) in guesses {
        let refusal = mesh.ask(subject, body).by(&sari).based_on(1).under_key("k").refusal().await;
        assert_eq!(refusal, reason, "{subject}");
    }
    assert_eq!(mesh.own_rows().await, before);
}
