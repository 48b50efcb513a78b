use crate::world::World;
use petpro::demo_users;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// The story of `petpro demo`, and what an operator then sees over NATS.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_books_a_visit_and_the_operator_sees_it() {
    let world = World::start().await;
    let (customer, rival) = (world.sign_in("budi@petpro.example").await, world.sign_in("siti@petpro.example").await);
    let slot = world.free_slot().await;

    // Flow 1 of document 003: 401 without a valid token, 201, then 409.
    let (status, problem) = world.ask(Method::POST, "/bookings", Some("forged"), Some(slot.wish())).await;
    assert_eq!((status, problem["code"].as_str()), (401, Some("unauthenticated")));
    let booking =
        world.expect(Method::POST, "/bookings", Some(&customer), Some(slot.wish()), StatusCode::CREATED).await;
    assert_eq!((booking["status"].as_str(), booking["provisional"].as_bool()), (Some("pending"), Some(false)));
    let (status, problem) = world.ask(Method::POST, "/bookings", Some(&rival), Some(slot.wish())).await;
    assert_eq!((status, problem["reason"].as_str()), (409, Some("slot_taken")));
    let mut at_night = slot.wish();
    at_night["startsAt"] = json!(format!("{}T18:00:00Z", &slot.starts_at[..10]));
    let (status, problem) = world.ask(Method::POST, "/bookings", Some(&rival), Some(at_night)).await;
    assert_eq!((status, problem["reason"].as_str()), (409, Some("vendor_unavailable")));

    // Another's booking does not exist for the rival; the clinic's staff confirms it.
    let path = format!("/bookings/{}", booking["id"].as_str().unwrap());
    assert_eq!(world.ask(Method::GET, &path, Some(&rival), None).await.0, 404);
    let staff = world.sign_in("rina@petpro.example").await;
    let confirmed = world.expect(Method::POST, &format!("{path}/confirm"), Some(&staff), None, StatusCode::OK).await;
    assert_eq!(confirmed["status"], "confirmed");
    let history = world.expect(Method::GET, &format!("{path}/history"), Some(&customer), None, StatusCode::OK).await;
    assert_eq!(history["items"].as_array().unwrap().len(), 2);

    // `nats req booking.findAll '{}' -H "Authorization:Bearer $(petpro token --as …)"`
    let token = petpro_prints(&world, &["token", "--as", "budi@petpro.example"]).await;
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Authorization", format!("Bearer {}", token.trim()).as_str());
    let operator = world.operator().await;
    let reply = operator.request_with_headers("booking.findAll", headers, "{}".into()).await.unwrap();
    let found: Value = serde_json::from_slice(&reply.payload).unwrap();
    assert_eq!(found["items"][0]["id"], booking["id"]);

    // `nats micro ls`
    let mut names: Vec<String> = platform::discovery::ping(&operator, std::time::Duration::from_millis(500))
        .await
        .unwrap()
        .into_iter()
        .map(|ping| ping.name)
        .collect();
    names.sort();
    assert_eq!(names, ["auth", "booking", "catalog", "edge", "profile", "vendor"]);

    // `nats stream ls`, and the events themselves.
    let jetstream = async_nats::jetstream::new(operator);
    let stream = jetstream.get_stream("EVENTS_BOOKING").await.unwrap();
    let id = booking["id"].as_str().unwrap().parse().unwrap();
    let subject = subjects::event::subject("booking.confirmed", id);
    world
        .until("the event is on JetStream", async || stream.get_last_raw_message_by_subject(&subject).await.is_ok())
        .await;
    let event = stream.get_last_raw_message_by_subject(&subject).await.unwrap();
    let body: Value = serde_json::from_slice(&event.payload).unwrap();
    assert_eq!((&body["bookingId"], &body["version"]), (&booking["id"], &confirmed["version"]));
    assert_eq!(event.headers.get("ce-type").map(|kind| kind.as_str()), Some("booking.confirmed"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_printed_demo_runs_and_the_edge_shows_every_service() {
    let world = World::start().await;
    let url = world.url("").replace("/api/v1", "");
    let story = petpro_prints(&world, &["demo", "--url", &url]).await;
    check_demo(&story);

    let health: Value = world.http.get(format!("{url}/health")).send().await.unwrap().json().await.unwrap();
    assert_eq!(health["status"], "ok");
    let document: Value = world.http.get(format!("{url}/openapi.json")).send().await.unwrap().json().await.unwrap();
    assert_eq!(document["openapi"].as_str().map(|version| &version[..3]), Some("3.1"));
    // The same routes under all three prefixes, and the mirror of document 004.
    let token = world.sign_in("budi@petpro.example").await;
    for path in ["/api/v1/bookings", "/api/bookings", "/bookings", "/api/appointments"] {
        let answer = world.http.get(format!("{url}{path}")).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    world.stop().await;
}

/// What `./just demo` tells, from the pet to the stock that is watched.
#[track_caller]
fn check_demo(told: &str) {
    let steps = [
        "POST /pets → 201",
        "POST /bookings → 201",
        "slot_taken",
        "pet_not_found",
        "event.booking.confirmed.",
        "does not bear chicken",
        "vaccinated against tricat",
        "products for \"makanna kucing\"",
        "│ snapshot",
        "POST /inventory/reservations → 201",
        "out_of_stock",
        "/commit → 200",
    ];
    for step in steps {
        assert!(told.contains(step), "the demo does not tell of {step}:\n{told}");
    }
    let changes = told.lines().filter(|line| line.contains("│ change")).count();
    assert_eq!(changes, 2, "the reservation and the sale are told:\n{told}");
}

/// Runs `petpro` against the world and answers what it printed.
async fn petpro_prints(world: &World, arguments: &[&str]) -> String {
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_petpro"))
        .args(arguments)
        .envs(&world.stack.variables)
        .env("PETPRO_CONFIG", "/dev/null")
        .current_dir(world.folder.path())
        .output()
        .await
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    printed
}

#[test]
fn demo_users_have_ids_of_version_7() {
    for user in &demo_users::ALL {
        assert_eq!(user.id().0.get_version_num(), 7);
    }
}
