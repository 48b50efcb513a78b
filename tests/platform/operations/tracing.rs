//! Following events, and finding out what became of a request.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_followed_over_its_events_to_their_handlers() {
    let world = World::start().await;
    let mut tail = command(&world, &["events", "tail", "--type", "booking.created", "--count", "1", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(tail.stderr.take().unwrap()).lines();
    let listening = said.next_line().await.unwrap().unwrap();
    assert!(listening.contains("event.booking.created.*"), "{listening}");

    let correlation_id = format!("operations-{}", uuid::Uuid::now_v7());
    let booking = book(&world, &correlation_id).await;
    let heard = tail.wait_with_output().await.unwrap();
    assert!(heard.status.success());
    let event: Value = serde_json::from_slice(&heard.stdout).unwrap();
    assert_eq!((&event["type"], &event["version"]), (&json!("booking.created"), &json!(1)));
    assert_eq!((&event["aggregateId"], &event["correlationId"]), (&booking["id"], &json!(correlation_id)));
    let event_id = event["id"].as_str().unwrap();

    // Who has not handled it yet is named, until everybody has.
    let mut lineage = Value::Null;
    world
        .until("everybody is done with it", async || {
            lineage = asked(&world, &["events", "lineage", &correlation_id]).await;
            let handlers = &lineage["roots"][0]["events"][0]["handlers"];
            let mut states = handlers.as_array().into_iter().flatten().map(|handler| &handler["state"]);
            handlers.as_array().is_some_and(|handlers| !handlers.is_empty()) && states.all(|state| state == "handled")
        })
        .await;
    let root = &lineage["roots"][0];
    assert_eq!((&root["origin"], &root["route"]), (&json!("booking.create"), &json!("POST /bookings")), "{lineage}");
    let told_event = &root["events"][0];
    assert_eq!((&told_event["service"], &told_event["event"]["id"]), (&json!("booking"), &json!(event_id)));
    assert!(told_event["event"].get("body").is_none(), "{told_event}");
    assert_eq!(told_event["handlers"][0]["handler"], "booking_created", "{told_event}");
    // By an event of it as well as by its id.
    assert_eq!(asked(&world, &["events", "lineage", event_id]).await, lineage);
    let tree = told(&world, &["events", "lineage", event_id]).await;
    println!("{tree}");
    for part in
        ["POST /bookings", "booking.created v1", "by booking, published after", "profile/booking_created  done after"]
    {
        assert!(tree.contains(part), "{part} is not in\n{tree}");
    }

    let shown = asked(&world, &["events", "show", event_id]).await;
    assert_eq!((&shown["service"], &shown["told"]["stream"]), (&json!("booking"), &json!("EVENTS_BOOKING")));
    assert_eq!(shown["told"]["body"]["bookingId"], booking["id"]);
    assert_eq!(handler_state(&shown, "profile", "booking_created"), "handled");
    let shown = told(&world, &["events", "show", event_id]).await;
    println!("{shown}");
    assert!(shown.contains("booking.created told by booking") && shown.contains("EVENTS_BOOKING"), "{shown}");

    let unknown = EventId::new().to_string();
    let (_, said) = refused(&world, &["events", "show", &unknown]).await;
    assert!(said.contains("no service knows"), "{said}");
    let (_, said) = refused(&world, &["events", "lineage", "nobody-asked-this"]).await;
    assert!(said.contains("no service keeps events"), "{said}");
    let (_, said) = refused(&world, &["events", "tail", "--type", "booking.exploded"]).await;
    assert!(said.contains("petpro asyncapi"), "{said}");
    world.stop().await;
}

async fn book(world: &World, correlation_id: &str) -> Value {
    let token = world.sign_in("budi@petpro.example").await;
    let wish = world.free_slot().await.wish();
    let request = world.http.post(world.url("/bookings")).bearer_auth(token).json(&wish);
    let answer = request.header("x-correlation-id", correlation_id).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    answer.json().await.unwrap()
}
