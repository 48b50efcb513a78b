//! An event that no handler can read, and one that a handler refuses.

use super::*;

/// Postgres says that a number is too large, which is nobody's fault but the event's.
pub(super) const REFUSE_HOURS: &str = "
    create function booking.refuse_for_a_test() returns trigger language plpgsql as
        $$ begin raise exception 'refused for a test' using errcode = '22003'; end $$;
    create trigger refuse_for_a_test before insert or update on booking.service_availability
        for each row execute function booking.refuse_for_a_test();";
pub(super) const TAKE_HOURS: &str = "drop trigger refuse_for_a_test on booking.service_availability;";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_are_listed_shown_replayed_and_given_up() {
    let world = World::start().await;
    assert_eq!(asked(&world, &["dlq", "list"]).await, json!({ "items": [], "hasMore": false }));
    assert!(told(&world, &["dlq", "list"]).await.contains("There are no such dead letters"));

    let unreadable = publish_hours(&world, "not json").await;
    execute(&world, REFUSE_HOURS).await;
    let (clinic_id, version) = change_hours(&world).await;
    let mut letters = Value::Null;
    world
        .until("both are dead letters", async || {
            letters = asked(&world, &["dlq", "list"]).await["items"].clone();
            letters.as_array().unwrap().len() == 2
        })
        .await;
    let letter = |reason: &str| letters.as_array().unwrap().iter().find(|letter| letter["reason"] == reason).cloned();
    let (broken, unwanted) = (letter("unreadable").unwrap(), letter("refused").unwrap());
    assert_eq!(broken["eventId"], unreadable.to_string());
    for letter in [&broken, &unwanted] {
        assert_eq!((&letter["service"], &letter["handler"]), (&json!("booking"), &json!("hours_updated")));
    }
    let refused_id = unwanted["eventId"].as_str().unwrap();
    check_list_and_show(&world, unreadable, refused_id).await;

    // While its cause is there it fails again and stays, and a dry run says so beforehand.
    for arguments in [&["dlq", "replay", refused_id, "--dry-run"][..], &["dlq", "replay", refused_id]] {
        let (outcome, said) = refused(&world, arguments).await;
        let of_booking = &outcome["services"]["booking"];
        assert_eq!((&of_booking["failed"], &of_booking["left"]), (&json!(1), &json!(1)), "{outcome}");
        assert_eq!(of_booking["failures"][0]["eventId"], refused_id);
        assert!(said.contains("1 dead letter") && said.contains("will stay"), "{said}");
    }
    execute(&world, TAKE_HOURS).await;
    assert!(heard_hours(&world, &clinic_id).await < version);
    let dry = asked(
        &world,
        &["dlq", "replay", "--service", "booking", "--handler", "hours_updated", refused_id, "--dry-run"],
    )
    .await;
    assert_eq!((&dry["dryRun"], &dry["services"]["booking"]["replayed"]), (&json!(true), &json!(1)), "{dry}");
    assert!(heard_hours(&world, &clinic_id).await < version, "a dry run has changed something");
    let replayed = asked(&world, &["dlq", "replay", refused_id]).await;
    assert_eq!(
        (&replayed["services"]["booking"]["replayed"], &replayed["services"]["booking"]["left"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(heard_hours(&world, &clinic_id).await, version);
    assert!(told(&world, &["dlq", "replay", refused_id]).await.contains("There are no such dead letters"));
    let shown = asked(&world, &["events", "show", refused_id]).await;
    assert_eq!(handler_state(&shown, "booking", "hours_updated"), "handled", "{shown}");

    // What can never be read is given up.
    let (outcome, _) = refused(&world, &["dlq", "replay", "--all"]).await;
    assert_eq!(outcome["services"]["booking"]["failed"], 1, "{outcome}");
    let id = unreadable.to_string();
    let (_, said) = refused(&world, &["dlq", "drop", &id]).await;
    assert!(said.contains("--why"), "{said}");
    let (_, said) = refused(&world, &["dlq", "drop", &id, "--why", "x"]).await;
    assert!(said.contains("/why"), "{said}");
    let dropped = asked(&world, &["dlq", "drop", &id, "--why", "published by a test"]).await;
    assert_eq!(dropped["dropped"]["booking"], 1, "{dropped}");
    assert!(world.log().contains("published by a test"), "why it was given up is not logged");
    assert_eq!(asked(&world, &["dlq", "list"]).await["items"], json!([]));
    let (_, said) = refused(&world, &["dlq", "show", &id]).await;
    assert!(said.contains("is no dead letter"), "{said}");
    world.stop().await;
}

async fn check_list_and_show(world: &World, unreadable: EventId, refused_id: &str) {
    let list = told(world, &["dlq", "list", "--service", "booking"]).await;
    let headings: Vec<&str> = list.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(headings, ["SERVICE", "HANDLER", "TYPE", "EVENT", "REASON", "ATTEMPTS", "FOR", "ERROR"]);
    assert!(list.contains(refused_id) && list.contains("hours.updated"), "{list}");
    let filtered = asked(world, &["dlq", "list", "--reason", "unreadable", "--handler", "hours_updated"]).await;
    assert_eq!(filtered["items"].as_array().unwrap().len(), 1);
    let others = asked(world, &["dlq", "list", "--service", "profile"]).await;
    assert_eq!(others["items"], json!([]));

    let id = unreadable.to_string();
    let shown = asked(world, &["dlq", "show", &id]).await;
    let details = &shown["items"][0];
    assert_eq!((&details["letter"]["reason"], &details["stream"]), (&json!("unreadable"), &json!("EVENTS_VENDOR")));
    // "not json" in base64.
    assert_eq!((&details["bodyBase64"], details.get("body")), (&json!("bm90IGpzb24="), None));
    let shown = told(world, &["dlq", "show", refused_id]).await;
    for part in ["hours.updated could not be handled by hours_updated of booking", "refused", "\"weekly\"", "--dry-run"]
    {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    let consumers = asked(world, &["consumers", "list", "booking", "--behind"]).await;
    let hours = consumers["items"].as_array().unwrap().iter().find(|consumer| consumer["handler"] == "hours_updated");
    assert_eq!(hours.unwrap()["deadLetters"], 2, "{consumers}");

    // The request that told it shows where it ended.
    let lineage = told(world, &["events", "lineage", refused_id]).await;
    assert!(lineage.contains("PUT /clinics/{clinicId}/hours  hours.update"), "{lineage}");
    assert!(lineage.contains("booking/hours_updated  DEAD LETTER, refused"), "{lineage}");
}

/// Publishes what the vendor service would never tell.
pub(super) async fn publish_hours(world: &World, body: &'static str) -> EventId {
    let id = EventId::new();
    let (client, _signals) = world.connect("vendor").await;
    let mut headers = async_nats::HeaderMap::new();
    for (name, value) in [
        ("Nats-Msg-Id", id.to_string()),
        ("ce-id", id.to_string()),
        ("ce-specversion", "1.0".to_owned()),
        ("ce-type", "hours.updated".to_owned()),
        ("ce-source", "/services/vendor".to_owned()),
        ("ce-subject", uuid::Uuid::now_v7().to_string()),
    ] {
        headers.insert(name, value.as_str());
    }
    let jetstream = async_nats::jetstream::new(client);
    let taking = jetstream.publish_with_headers("event.hours.updated.0", headers, body.into()).await.unwrap();
    assert_eq!(taking.await.unwrap().stream, "EVENTS_VENDOR");
    id
}
