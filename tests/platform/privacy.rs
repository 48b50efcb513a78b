//! A person's data: told on request, and erased so that nothing is left of it anywhere but ids.

#[path = "privacy/person.rs"]
mod person;
#[path = "privacy/traces.rs"]
mod traces;

use crate::world::World;
use person::Person;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use traces::Traces;

/// A platform on which the second look comes soon and whoever takes over does so soon.
async fn platform() -> World {
    let mut world = World::without_services().await;
    world.set("PETPRO_PROFILE__PRIVACY_INTERVAL_MS", "100");
    world.set("PETPRO_PROFILE__PRIVACY_LEASE_MS", "2000");
    world.set("PETPRO_PROFILE__PRIVACY_SETTLING_MS", "1500");
    world
}

/// Waits until a request is done, and answers it.
async fn until_done(world: &World, id: &str, token: &str) -> Value {
    let mut found = Value::Null;
    world
        .until(&format!("the request {id} is done"), async || {
            found = world.ask(Method::GET, &format!("/privacy/requests/{id}"), Some(token), None).await.1;
            found["status"] == "done"
        })
        .await;
    found
}

async fn export(world: &World, person: &Person) -> String {
    let token = Some(person.token.as_str());
    let body = Some(json!({}));
    let request = world.expect(Method::POST, "/privacy/export", token, body, StatusCode::ACCEPTED).await;
    let id = request["id"].as_str().unwrap();
    let done = until_done(world, id, &person.token).await;
    assert!(done["availableUntil"].is_string(), "{done}");
    let (mut text, mut path) = (String::new(), format!("/privacy/requests/{id}/export"));
    loop {
        let part = world.expect(Method::GET, &path, token, None, StatusCode::OK).await;
        text.push_str(&part.to_string());
        match part["nextCursor"].as_str() {
            Some(cursor) => path = format!("/privacy/requests/{id}/export?cursor={cursor}"),
            None => return text,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_person_leaves_nothing_but_ids() {
    let mut world = platform().await;
    world.run("all", &[]).await;
    world.until_heard().await;
    let admin = world.sign_in("admin@petpro.example").await;
    let ratna = Person::register(&world, "ratnaunik").await;
    let neighbour = Person::register(&world, "tetanggasebelah").await;
    for person in [&ratna, &neighbour] {
        person.live(&world).await;
    }
    ratna.share_a_pet_with(&world, &neighbour).await;
    neighbour.share_a_pet_with(&world, &ratna).await;
    ratna.ask_for_nonsense(&world).await;

    // All that was planted is in the export, but for what was refused and what is no longer kept.
    let told = export(&world, &ratna).await;
    for planted in ratna.words_that_are_kept() {
        assert!(told.contains(&planted), "{planted} is missing in {told}");
    }
    assert!(!told.contains("sealed:"), "something was told as it is stored");
    assert!(!told.contains("tetanggasebelah"), "another person's data was told: {told}");
    // The export is nobody else's, and is not in the clear either.
    let requests = "select id::text from profile.privacy_requests";
    let id: String = sqlx::query_scalar(requests).fetch_one(&mut world.database().await).await.unwrap();
    for stranger in [&neighbour.token, &admin] {
        let path = format!("/privacy/requests/{id}/export");
        world.expect(Method::GET, &path, Some(stranger), None, StatusCode::NOT_FOUND).await;
    }
    let before = Traces::find(&world, &ratna.words()).await;
    assert!(before.places.iter().any(|place| place.starts_with("profile.pets")), "the search finds what is there");
    assert!(!before.places.iter().any(|place| place.starts_with("profile.privacy_parts")), "{before:?}");
    assert!(!before.places.iter().any(|place| place.starts_with("booking.booking")), "{before:?}");
    before.assert_only_in_tables();
    let neighbours_life = neighbour.life(&world).await;

    let other = json!({ "userId": neighbour.id });
    let refused = world.ask(Method::POST, "/privacy/erase", Some(&ratna.token), Some(other)).await;
    assert_eq!((refused.0, refused.1["reason"].as_str()), (403, Some("not_yourself")));
    let body = Some(json!({ "userId": ratna.id }));
    let request = world.expect(Method::POST, "/privacy/erase", Some(&ratna.token), body, StatusCode::ACCEPTED).await;
    let done = until_done(&world, request["id"].as_str().unwrap(), &admin).await;
    assert!(done["steps"].as_array().unwrap().iter().all(|step| step["done"] == true), "{done}");
    let answer = world.ask(Method::GET, "/auth/me", Some(&ratna.token), None).await;
    assert_eq!(answer.0, 401, "{}", answer.1);
    world.until_heard().await;

    Traces::find(&world, &ratna.words()).await.assert_none();
    assert_eq!(neighbour.life(&world).await, neighbours_life);
    // The household lost the pet that was not theirs.
    let pets = world.expect(Method::GET, "/pets", Some(&neighbour.token), None, StatusCode::OK).await;
    assert_eq!(pets["items"].as_array().unwrap().len(), 1, "{pets}");
    // A day's visits of the clinic are still in its books.
    let visits = world.count("select count(*) from booking.bookings where status = 'cancelled'").await;
    assert!(visits >= 2, "{visits}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erasure_goes_on_after_kills() {
    let mut world = platform().await;
    world.run("edge", &["auth", "vendor", "catalog", "edge"]).await;
    world.run("booking", &["booking"]).await;
    world.run("profile", &["profile"]).await;
    world.until_heard().await;
    let admin = world.sign_in("admin@petpro.example").await;
    let ratna = Person::register(&world, "ratnaunik").await;
    ratna.live(&world).await;

    // Booking waits in the middle of its part, and is killed there; then the one who asked it is.
    let mut lock = world.database().await;
    sqlx::raw_sql("begin").execute(&mut lock).await.unwrap();
    sqlx::query("select from booking.bookings where customer_id = $1::uuid for update")
        .bind(ratna.id.as_str())
        .execute(&mut lock)
        .await
        .unwrap();
    let body = Some(json!({ "userId": ratna.id }));
    let request = world.expect(Method::POST, "/privacy/erase", Some(&ratna.token), body, StatusCode::ACCEPTED).await;
    let path = format!("/privacy/requests/{}", request["id"].as_str().unwrap());
    world.until_somebody_waits("%\"bookings\"%for update%").await;
    world.kill("booking").await;
    world.kill("profile").await;
    sqlx::raw_sql("rollback").execute(&mut lock).await.unwrap();

    // The one who asks goes on, and says who is missing while it waits; what comes before that is done.
    world.run("profile", &["profile"]).await;
    world
        .until("the request says that booking is away, and that all before profile is done", async || {
            let told = world.ask(Method::GET, &path, Some(&admin), None).await.1;
            let has = |service: &str, is: fn(&Value) -> bool| {
                told["steps"].as_array().into_iter().flatten().any(|step| step["service"] == service && is(step))
            };
            has("booking", |step| step["failedAttempts"].as_u64() > Some(0) && step["done"] == false)
                && has("catalog", |step| step["done"] == true)
        })
        .await;
    let told = world.expect(Method::GET, &path, Some(&admin), None, StatusCode::OK).await;
    let done: Vec<&str> = told["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|step| step["done"] == true)
        .map(|step| step["service"].as_str().unwrap())
        .collect();
    assert_eq!(done, ["auth", "vendor", "catalog"], "{told}");
    world.kill("profile").await;
    world.run("booking", &["booking"]).await;
    world.run("profile", &["profile"]).await;
    let id = request["id"].as_str().unwrap();
    until_done(&world, id, &admin).await;
    world.until_heard().await;
    Traces::find(&world, &ratna.words()).await.assert_none();
    let erased = "select count(*) from profile.outbox where type = 'privacy.erased'";
    assert_eq!(world.count(erased).await, 1);
    world.stop().await;
}
