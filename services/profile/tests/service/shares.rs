//! Shared pets.

use crate::household::{pet_of, share};
use crate::world;
use serde_json::{Value, json};
use testmesh::{Asker, customer, personal};

#[tokio::test]
async fn a_pet_is_shared_by_a_code_that_is_shown_once() {
    let mesh = world::start().await;
    let (sari, tono, stranger) = (customer(), customer(), customer());
    let pet = pet_of(&mesh, &sari).await;
    let mut events = mesh.listen().await;
    let invited = mesh.ask("petShare.create", json!({ "petId": pet["id"], "role": "carer" })).by(&sari).ok().await;
    let code = invited["code"].as_str().unwrap().to_owned();
    assert_eq!((invited["role"].as_str(), code.len()), (Some("carer"), 29));
    // Neither the code nor anything that it could be read from is kept, in answers under keys neither.
    assert!(!mesh.all_rows().await.contains(&code));

    let accept = |who: &Asker, code: &str| mesh.ask("petShare.accept", json!({ "code": code })).by(who);
    assert_eq!(accept(&sari, &code).refusal().await, "own_pet");
    let typed = code.to_lowercase().replace('-', " ");
    let accepted = accept(&tono, &typed).ok().await;
    assert_eq!((accepted["status"].as_str(), &accepted["userId"]), (Some("accepted"), &json!(tono.id())));
    let told = events.next("pet.updated").await;
    assert_eq!((&told["sharedWith"], &told["version"]), (&json!([tono.id()]), &json!(2)));

    // Accepting again changes nothing; a used code is no code for anybody else.
    assert_eq!(accept(&tono, &code).ok().await, accepted);
    assert_eq!(accept(&stranger, &code).refusal().await, "code_not_found");
    assert_eq!(mesh.query("select version from pets").await, "2");

    let shares = |who: &Asker| mesh.ask("petShare.findAll", json!({ "petId": pet["id"] })).by(who);
    assert_eq!(shares(&sari).ok().await["items"], json!([accepted]));
    assert_eq!(shares(&tono).ok().await["items"], json!([accepted]));
    assert_eq!(shares(&stranger).refusal().await, "pet_not_found");
}

#[tokio::test]
async fn a_code_that_is_over_taken_back_or_guessed_opens_nothing() {
    let mesh = world::start().await;
    let (sari, tono) = (customer(), customer());
    let pet = pet_of(&mesh, &sari).await;
    let invite = || mesh.ask("petShare.create", json!({ "petId": pet["id"], "role": "viewer" })).by(&sari);
    let accept = |code: &Value| mesh.ask("petShare.accept", json!({ "code": code })).by(&tono);

    let expired = invite().ok().await;
    mesh.execute("update pet_shares set expires_at = now()").await;
    assert_eq!(accept(&expired["code"]).refusal().await, "code_not_found");
    let shares = mesh.ask("petShare.findAll", json!({ "petId": pet["id"] })).by(&sari).ok().await;
    assert_eq!(shares["items"], json!([]));

    let taken_back = invite().ok().await;
    // The expired one made room.
    assert_eq!(mesh.query("select count(*) from pet_shares").await, "1");
    let gone = json!({ "petId": pet["id"], "id": taken_back["id"] });
    mesh.ask("petShare.revoke", gone).by(&sari).ok().await;
    assert_eq!(accept(&taken_back["code"]).refusal().await, "code_not_found");

    let of_removed_pet = invite().ok().await;
    mesh.ask("pet.remove", json!({ "id": pet["id"] })).by(&sari).ok().await;
    assert_eq!(accept(&of_removed_pet["code"]).refusal().await, "code_not_found");

    for guess in ["00000-00000-00000-00000-00000", "ZZZZZZZZZZZZZZZZZZZZZZZZZ", "     -----     -----     -----"] {
        assert_eq!(accept(&json!(guess)).refusal().await, "code_not_found", "{guess}");
    }
    for no_code in ["", "0000", "00000-00000-00000-00000-0000!", &"0".repeat(41)] {
        assert_eq!(accept(&json!(no_code)).fault().await.violations[0].pointer, "/code", "{no_code}");
    }
    assert_eq!(mesh.query("select count(*) from pet_shares").await, "0");
}

#[tokio::test]
async fn revoking_takes_away_at_once_and_anybody_may_leave() {
    let mesh = world::start().await;
    let (sari, tono, wati) = (customer(), customer(), customer());
    let pet = pet_of(&mesh, &sari).await;
    let of_tono = share(&mesh, &sari, &pet, "carer", &tono).await;
    let of_wati = share(&mesh, &sari, &pet, "viewer", &wati).await;
    let mut events = mesh.listen().await;
    let revoke = |share: &Value, who: &Asker| {
        mesh.ask("petShare.revoke", json!({ "petId": pet["id"], "id": share["id"] })).by(who)
    };
    let reads = |who: &Asker| mesh.ask("pet.findOne", json!({ "id": pet["id"] })).by(who);
    let writes = |who: &Asker| {
        mesh.ask("petRecord.create", json!({ "petId": pet["id"], "note": personal::text("Sehat") })).by(who)
    };

    assert_eq!(revoke(&of_tono, &wati).refusal().await, "share_not_found");
    assert_eq!(revoke(&of_tono, &customer()).refusal().await, "pet_not_found");
    writes(&tono).ok().await;
    revoke(&of_tono, &sari).under_key("k").ok().await;
    revoke(&of_tono, &sari).under_key("k").ok().await;
    assert_eq!(reads(&tono).refusal().await, "pet_not_found");
    assert_eq!(writes(&tono).refusal().await, "pet_not_found");
    assert_eq!(events.next("pet.updated").await["sharedWith"], json!([wati.id()]));

    revoke(&of_wati, &wati).ok().await;
    assert_eq!(reads(&wati).refusal().await, "pet_not_found");
    assert_eq!(events.next("pet.updated").await["sharedWith"], json!([]));
    // What he wrote stays, and says that he did.
    let records = mesh.ask("petRecord.findAll", json!({ "petId": pet["id"] })).by(&sari).ok().await;
    assert_eq!(records["items"][0]["author"], json!({ "kind": "household", "userId": tono.id() }));
}

#[tokio::test]
async fn a_pet_is_shared_once_with_a_person_and_with_so_many_at_the_most() {
    let mesh = world::start().await;
    let (sari, tono) = (customer(), customer());
    let pet = pet_of(&mesh, &sari).await;
    share(&mesh, &sari, &pet, "viewer", &tono).await;
    let invite = |who: &Asker| mesh.ask("petShare.create", json!({ "petId": pet["id"], "role": "carer" })).by(who);
    assert_eq!(invite(&tono).refusal().await, "forbidden");
    assert_eq!(invite(&customer()).refusal().await, "pet_not_found");
    let second = invite(&sari).ok().await;
    let again = mesh.ask("petShare.accept", json!({ "code": second["code"] })).by(&tono);
    assert_eq!(again.refusal().await, "already_shared");
    for _ in 2..20 {
        invite(&sari).ok().await;
    }
    assert_eq!(invite(&sari).refusal().await, "too_many_shares");
}
