//! Outboxes and their streams, consumers, read models.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lags_is_seen_and_what_was_lost_is_mended() {
    let world = World::start().await;
    check_status(&world).await;
    check_pause(&world).await;
    check_refill(&world).await;
    check_read_models(&world).await;
    world.stop().await;
}

async fn check_status(world: &World) {
    until_published(world).await;
    let mut all = Value::Null;
    world
        .until("the statistics of Postgres know all rows", async || {
            all = asked(world, &["outbox", "status"]).await;
            let mut known = true;
            for service in catalogue::SERVICES {
                let days = all[service]["days"].as_array().unwrap();
                let kept: i64 = days.iter().map(|day| day["rows"].as_i64().unwrap()).sum();
                known &= kept == rows_of(world, service).await;
            }
            known
        })
        .await;
    for service in catalogue::SERVICES {
        assert_eq!(all[service]["stream"]["name"], subjects::event::stream_name(service), "{all}");
    }
    let table = told(world, &["outbox", "status"]).await;
    println!("{table}");
    assert_eq!(table.lines().count(), 1 + catalogue::SERVICES.len(), "{table}");
    let one = told(world, &["outbox", "status", "vendor"]).await;
    assert!(one.contains("EVENTS_VENDOR") && one.contains("DAY"), "{one}");

    // The same question as anybody at the `nats` command line asks it.
    let client = world.operator().await;
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Authorization", format!("Bearer {}", admin_token(world)).as_str());
    let reply = client.request_with_headers("ops.vendor.outboxStatus", headers, "{}".into()).await.unwrap();
    let status: Value = serde_json::from_slice(&reply.payload).unwrap();
    assert_eq!((&status["stream"], &status["days"]), (&all["vendor"]["stream"], &all["vendor"]["days"]));
}

async fn check_pause(world: &World) {
    let (_, said) = refused(world, &["consumers", "pause", "booking", "hours", "--reason", "to see it wait"]).await;
    assert!(said.contains("handler_not_found"), "{said}");
    let pause = ["consumers", "pause", "booking", "hours_updated", "--reason", "to see it wait"];
    assert_eq!(asked(world, &pause).await["paused"], true);
    // Again is no harm.
    assert_eq!(asked(world, &pause).await["paused"], true);
    let (clinic_id, version) = change_hours(world).await;
    world
        .until("the event waits for its handler", async || {
            let consumer = hours_consumer(world).await;
            assert_eq!(consumer["paused"]["reason"], "to see it wait", "{consumer}");
            consumer["delivery"]["pending"] == 1
        })
        .await;
    let list = told(world, &["consumers", "list", "--behind"]).await;
    println!("{list}");
    assert!(list.contains("paused for") && list.contains("to see it wait"), "{list}");
    assert!(heard_hours(world, &clinic_id).await < version);
    let resume = ["consumers", "resume", "booking", "hours_updated"];
    assert_eq!(asked(world, &resume).await["paused"], false);
    world.until("the event is handled", async || heard_hours(world, &clinic_id).await == version).await;
    assert!(hours_consumer(world).await.get("paused").is_none());
}

async fn hours_consumer(world: &World) -> Value {
    let list = asked(world, &["consumers", "list", "booking"]).await;
    let consumers = list["items"].as_array().unwrap();
    consumers.iter().find(|consumer| consumer["handler"] == "hours_updated").unwrap().clone()
}

/// JetStream forgets everything. Streams and consumers come back by themselves, and so do the events; whoever does not
/// want to wait for that says so.
async fn check_refill(world: &World) {
    let nothing = asked(world, &["outbox", "refill", "vendor", "--dry-run"]).await;
    assert_eq!((&nothing["vendor"]["lost"], &nothing["vendor"]["putBack"]), (&json!(0), &json!(0)), "{nothing}");
    let handled = "select count(*) from booking.inbox";
    let (told_before, handled_before) = (rows_of(world, "vendor").await, world.count(handled).await);
    world.stack.nats.as_ref().unwrap().wipe_store().await.unwrap();
    let refill = ["outbox", "refill", "vendor"];
    world.until("the stream is there again", async || answered(world, &refill).await.is_some()).await;
    world
        .until("every event is in its stream again", async || {
            let compared = answered(world, &["outbox", "refill", "vendor", "--dry-run"]).await.unwrap_or_default();
            let status = answered(world, &["outbox", "status", "vendor"]).await.unwrap_or_default();
            compared["vendor"]["lost"] == 0
                && status["vendor"]["unpublished"] == 0
                && status["vendor"]["stream"]["messages"] == told_before
        })
        .await;
    // Consumers are given all of it anew, and handle none of it twice.
    world.until("nobody lags", async || hours_consumer(world).await["delivery"]["pending"] == 0).await;
    assert_eq!(world.count(handled).await, handled_before);

    let counted = asked(world, &["outbox", "refill", "vendor", "--mode", "all", "--dry-run"]).await;
    assert_eq!(
        (&counted["vendor"]["lost"], &counted["vendor"]["putBack"]),
        (&json!(told_before), &json!(0)),
        "{counted}"
    );
    let refilled = asked(world, &["outbox", "refill", "vendor", "--mode", "all", "--since", "1d"]).await;
    assert_eq!(refilled["vendor"]["putBack"], told_before, "{refilled}");
    until_published(world).await;
    assert_eq!(world.count(handled).await, handled_before);
    let (_, said) = refused(world, &["outbox", "refill", "vendor", "--since", "1d"]).await;
    assert!(said.contains("/since"), "{said}");
}

async fn check_read_models(world: &World) {
    let list = asked(world, &["projection", "list", "booking"]).await;
    let staff = list["items"].as_array().unwrap().iter().find(|model| model["model"] == "staff").unwrap().clone();
    assert_eq!((&staff["owner"], &staff["service"]), (&json!("vendor"), &json!("booking")), "{staff}");
    assert!(staff["rows"].as_i64().unwrap() > 0, "{staff}");
    println!("{}", told(world, &["projection", "list"]).await);
    let rebuild = ["projection", "rebuild", "booking", "staff"];
    let untouched = asked(world, &rebuild).await;
    assert_eq!((&untouched["changed"], &untouched["removed"]), (&json!(0), &json!(0)), "{untouched}");
    execute(world, "delete from booking.staff where id = (select min(id::text)::uuid from booking.staff)").await;
    let rebuilt = asked(world, &rebuild).await;
    assert_eq!((&rebuilt["changed"], &rebuilt["removed"]), (&json!(1), &json!(0)), "{rebuilt}");
    let (_, said) = refused(world, &["projection", "rebuild", "booking", "weather"]).await;
    assert!(said.contains("read_model_not_found"), "{said}");
}

async fn until_published(world: &World) {
    world
        .until("everything is published", async || {
            let all = asked(world, &["outbox", "status"]).await;
            catalogue::SERVICES.iter().all(|service| all[*service]["unpublished"] == 0)
        })
        .await;
}

async fn rows_of(world: &World, service: &str) -> i64 {
    let query = sqlx::AssertSqlSafe(format!("select count(*) from {service}.outbox"));
    sqlx::query_scalar(query).fetch_one(&mut world.database().await).await.unwrap()
}

/// A token as `petpro token` prints it.
pub(super) fn admin_token(world: &World) -> String {
    strangers::token(world, UserId::new(), vec![Role::PlatformAdmin])
}
