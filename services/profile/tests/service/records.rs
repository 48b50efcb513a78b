//! The records of pets.

use crate::household::{Clinic, pet_of, with};
use crate::world;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde_json::{Value, json};
use subjects::booking::BookingStatus;
use testmesh::{customer, personal};

#[tokio::test]
async fn an_entry_of_each_kind_is_kept_as_it_was_written() {
    let mesh = world::start().await;
    let sari = customer();
    let pet = pet_of(&mesh, &sari).await;
    let entries = [
        (
            "vaccination",
            json!({ "vaccine": "Rabies", "givenOn": "2026-01-10", "dueOn": "2027-01-10", "batch": "RB-1" }),
        ),
        (
            "allergy",
            json!({ "substance": "Ayam", "severity": "moderate", "note": personal::text("Gatal — kulit merah 🐾") }),
        ),
        ("weight", json!({ "grams": 5_400, "measuredOn": "2026-01-10" })),
        ("note", json!("Gigi dibersihkan.\nTidak ada karang.")),
    ];
    for (kind, entry) in &entries {
        let body = json!({ "petId": pet["id"], *kind: entry });
        let written = mesh.ask("petRecord.create", body.clone()).by(&sari).under_key(kind).ok().await;
        assert_eq!((&written["kind"], &written[*kind]), (&json!(kind), entry));
        assert_eq!(written["author"], json!({ "kind": "owner", "userId": sari.id() }));
        assert_eq!(mesh.ask("petRecord.create", body).by(&sari).under_key(kind).ok().await, written);
    }
    let list = async |filters: Value| -> Vec<Value> {
        let body = with(json!({ "petId": pet["id"] }), filters);
        mesh.ask("petRecord.findAll", body).by(&sari).ok().await["items"].as_array().unwrap().clone()
    };
    let kinds = |items: Vec<Value>| -> Vec<String> {
        items.iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(kinds(list(json!({})).await), ["note", "weight", "allergy", "vaccination"]);
    assert_eq!(kinds(list(json!({ "sort": "createdAt", "limit": 2 })).await), ["vaccination", "allergy"]);
    assert_eq!(list(json!({ "kind": "allergy" })).await[0]["allergy"], entries[1].1);
}

#[tokio::test]
async fn what_was_wrong_is_replaced_and_stays() {
    let mesh = world::start().await;
    let sari = customer();
    let (pet, other_pet) = (pet_of(&mesh, &sari).await, pet_of(&mesh, &sari).await);
    let weigh = |pet: &Value, grams: u32, replaces: &Value| {
        let weight = json!({ "grams": grams, "measuredOn": "2026-01-10" });
        mesh.ask("petRecord.create", json!({ "petId": pet["id"], "weight": weight, "replaces": replaces })).by(&sari)
    };
    let wrong = weigh(&pet, 54_000, &Value::Null).ok().await;
    let of_other_pet = weigh(&other_pet, 3_000, &wrong["id"]);
    assert_eq!(of_other_pet.refusal().await, "record_not_found");
    let note = json!({ "petId": pet["id"], "note": personal::text("5,4 kg"), "replaces": wrong["id"] });
    assert_eq!(mesh.ask("petRecord.create", note).by(&sari).refusal().await, "wrong_kind");
    let right = weigh(&pet, 5_400, &wrong["id"]).ok().await;
    assert_eq!(right["replaces"], wrong["id"]);
    assert_eq!(weigh(&pet, 5_500, &wrong["id"]).refusal().await, "record_replaced");

    let list = async |with_replaced: bool| {
        let body = json!({ "petId": pet["id"], "withReplaced": with_replaced });
        mesh.ask("petRecord.findAll", body).by(&sari).ok().await["items"].clone()
    };
    assert_eq!(list(false).await, json!([right]));
    let with_its_correction = with(wrong.clone(), json!({ "replacedBy": right["id"] }));
    assert_eq!(list(true).await, json!([right, with_its_correction]));

    // Not even by SQL is an entry written anew.
    let rewriting = Statement::from_string(DbBackend::Postgres, r#"update pet_records set details = '{"note":"x"}'"#);
    let refused = mesh.database().execute_raw(rewriting).await.unwrap_err();
    assert!(refused.to_string().contains("pet_records only grow"), "{refused}");
}

#[tokio::test]
async fn a_pet_weighs_what_it_was_last_weighed_at() {
    let mesh = world::start().await;
    let sari = customer();
    let pet = pet_of(&mesh, &sari).await;
    let weigh = async |grams: u32, measured_on: &str, replaces: &Value| -> Value {
        let weight = json!({ "grams": grams, "measuredOn": measured_on });
        let body = json!({ "petId": pet["id"], "weight": weight, "replaces": replaces });
        mesh.ask("petRecord.create", body).by(&sari).ok().await
    };
    let weight_and_version = async || {
        let found = mesh.ask("pet.findOne", json!({ "id": pet["id"] })).by(&sari).ok().await;
        (found["weightGrams"].as_u64(), found["version"].as_i64().unwrap())
    };
    let typo = weigh(54_000, "2026-03-10", &Value::Null).await;
    assert_eq!(weight_and_version().await, (Some(54_000), 2));
    // It was weighed before that: that tells nothing of what it weighs now.
    weigh(4_100, "2026-01-10", &Value::Null).await;
    assert_eq!(weight_and_version().await, (Some(54_000), 2));
    // The entry that it corrects does not stand in its way, though its date is later.
    weigh(5_400, "2026-03-09", &typo["id"]).await;
    assert_eq!(weight_and_version().await, (Some(5_400), 3));
    weigh(5_400, "2026-04-01", &Value::Null).await;
    assert_eq!(weight_and_version().await, (Some(5_400), 3));
}

#[tokio::test]
async fn a_correction_of_the_latest_weighing_may_leave_an_earlier_one_the_latest() {
    let mesh = world::start().await;
    let sari = customer();
    let pet = pet_of(&mesh, &sari).await;
    let weigh = async |grams: u32, measured_on: &str, replaces: &Value| -> Value {
        let weight = json!({ "grams": grams, "measuredOn": measured_on });
        let body = json!({ "petId": pet["id"], "weight": weight, "replaces": replaces });
        mesh.ask("petRecord.create", body).by(&sari).ok().await
    };
    let weight =
        async || mesh.ask("pet.findOne", json!({ "id": pet["id"] })).by(&sari).ok().await["weightGrams"].clone();
    let early = weigh(4_100, "2026-01-10", &Value::Null).await;
    let typo = weigh(54_000, "2026-03-10", &Value::Null).await;
    // It was measured two years before: since then it has weighed 4.1 kg.
    weigh(3_600, "2024-03-10", &typo["id"]).await;
    assert_eq!(weight().await, 4_100);
    // What the owner says holds, until it is weighed again: an earlier weighing is corrected without touching it.
    let oldest = weigh(3_000, "2023-01-10", &Value::Null).await;
    let said = json!({ "id": pet["id"], "name": personal::text("Oyen"), "species": "cat", "weightGrams": 4_500 });
    let found = mesh.ask("pet.findOne", json!({ "id": pet["id"] })).by(&sari).ok().await;
    mesh.ask("pet.update", said).by(&sari).based_on(found["version"].as_i64().unwrap()).ok().await;
    weigh(3_100, "2023-01-10", &oldest["id"]).await;
    assert_eq!(weight().await, 4_500);
    weigh(4_200, "2026-01-10", &early["id"]).await;
    assert_eq!(weight().await, 4_200);
}

#[tokio::test]
async fn staff_write_in_the_name_of_their_clinic() {
    let mesh = world::start().await;
    let (sari, vet) = (customer(), customer());
    let pet = pet_of(&mesh, &sari).await;
    let clinic = Clinic::new();
    clinic.employ(&mesh, vet.id(), None).await;
    clinic.book(&mesh, &pet, BookingStatus::Confirmed, 1).await;
    let vaccination = json!({ "vaccine": "Tricat", "givenOn": "2026-01-10" });
    let body = json!({ "petId": pet["id"], "vaccination": vaccination });
    let written = mesh.ask("petRecord.create", body).by(&vet).ok().await;
    let author = json!({
        "kind": "staff", "userId": vet.id(), "vendorId": clinic.vendor_id, "clinicId": clinic.clinic_id,
    });
    assert_eq!(written["author"], author);
    let list = json!({ "petId": pet["id"] });
    assert_eq!(mesh.ask("petRecord.findAll", list).by(&sari).ok().await["items"], json!([written]));
}

#[tokio::test]
async fn records_have_a_bound() {
    let mesh = world::start().await;
    let sari = customer();
    let pet = pet_of(&mesh, &sari).await;
    let id = pet["id"].as_str().unwrap();
    mesh.execute(&format!(
        "insert into pet_records (id, pet_id, kind, details, author_kind, created_at)
         select gen_random_uuid(), '{id}', 'note', '{{\"note\":\"x\"}}', 'owner', now() from generate_series(1, 1999)"
    ))
    .await;
    let write = || mesh.ask("petRecord.create", json!({ "petId": id, "note": personal::text("Sehat") })).by(&sari);
    write().ok().await;
    assert_eq!(write().refusal().await, "too_many_records");
}
