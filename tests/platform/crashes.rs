//! Processes that are killed at the worst moment. The moments are made with locks in Postgres, not with luck.

use crate::world::World;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use std::time::Instant;
use testkit::personal;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_killed_between_commit_and_publish_is_published_once() {
    let mut world = World::without_services().await;
    world.run("edge", &["auth", "vendor", "edge"]).await;
    let mut relay_lock = hold_relay_lock(&world, "booking").await;
    world.run("booking", &["booking"]).await;
    let token = world.sign_in("budi@petpro.example").await;
    let wish = world.free_slot().await.wish();
    let booking = world.expect(Method::POST, "/bookings", Some(&token), Some(wish), StatusCode::CREATED).await;
    let unpublished = "select count(*) from booking.outbox where published_at is null";
    assert_eq!(world.count(unpublished).await, 1);
    world.kill("booking").await;
    assert_eq!(world.count(unpublished).await, 1);

    world.run("booking", &["booking"]).await;
    release_relay_lock(&mut relay_lock, "booking").await;
    world.until("the event is published", async || world.count(unpublished).await == 0).await;
    let jetstream = async_nats::jetstream::new(world.operator().await);
    let stream = jetstream.get_stream("EVENTS_BOOKING").await.unwrap();
    assert_eq!(stream.cached_info().state.messages, 1);
    let event = stream.get_raw_message(stream.cached_info().state.first_sequence).await.unwrap();
    let body: Value = serde_json::from_slice(&event.payload).unwrap();
    assert_eq!(body["bookingId"], booking["id"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_killed_between_publish_and_note_is_published_once() {
    let mut world = World::without_services().await;
    world.run("edge", &["auth", "vendor", "edge"]).await;
    let mut relay_lock = hold_relay_lock(&world, "booking").await;
    world.run("booking", &["booking"]).await;
    let token = world.sign_in("budi@petpro.example").await;
    let wish = world.free_slot().await.wish();
    let booking = world.expect(Method::POST, "/bookings", Some(&token), Some(wish), StatusCode::CREATED).await;

    // The relay reads and publishes the event, and then waits for its row.
    let mut row_lock = world.database().await;
    sqlx::raw_sql("begin").execute(&mut row_lock).await.unwrap();
    let event_id: String =
        sqlx::query_scalar("select id::text from booking.outbox for update").fetch_one(&mut row_lock).await.unwrap();
    release_relay_lock(&mut relay_lock, "booking").await;
    let note = "%update outbox set published_at%";
    world.until_somebody_waits(note).await;
    let jetstream = async_nats::jetstream::new(world.operator().await);
    let published = async || jetstream.get_stream("EVENTS_BOOKING").await.unwrap().cached_info().state.clone();
    assert_eq!(published().await.messages, 1);
    world.kill("booking").await;
    // Postgres would finish the statement of a client that is gone, and the note would be there all the same.
    let gone: bool = sqlx::query_scalar(
        "select pg_terminate_backend(pid, 30000) from pg_stat_activity \
         where wait_event_type = 'Lock' and query ilike $1",
    )
    .bind(note)
    .fetch_one(&mut world.database().await)
    .await
    .unwrap();
    assert!(gone);
    row_lock.close().await.unwrap();
    let unpublished = "select count(*) from booking.outbox where published_at is null";
    assert_eq!(world.count(unpublished).await, 1);

    world.run("booking", &["booking"]).await;
    world.until("the event is noted", async || world.count(unpublished).await == 0).await;
    let state = published().await;
    assert_eq!((state.messages, state.last_sequence), (1, state.first_sequence));
    let stream = jetstream.get_stream("EVENTS_BOOKING").await.unwrap();
    let event = stream.get_raw_message(state.first_sequence).await.unwrap();
    assert_eq!(event.headers.get("Nats-Msg-Id").map(|id| id.as_str()), Some(event_id.as_str()));
    let body: Value = serde_json::from_slice(&event.payload).unwrap();
    assert_eq!(body["bookingId"], booking["id"]);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_hours_killed_between_commit_and_publish_take_effect_once() {
    let mut world = World::without_services().await;
    let mut relay_lock = hold_relay_lock(&world, "vendor").await;
    world.run("edge", &["auth", "booking", "edge"]).await;
    world.run("vendor", &["vendor"]).await;
    let token = world.sign_in("dewi@petpro.example").await;
    let services = world.expect(Method::GET, "/services?limit=1", None, None, StatusCode::OK).await;
    let clinic_id = services["items"][0]["clinicId"].as_str().unwrap();
    let path = format!("/clinics/{clinic_id}/hours");
    let hours = world.expect(Method::GET, &path, None, None, StatusCode::OK).await;
    let version = hours["version"].as_i64().unwrap();
    let mut weekly = hours["hours"]["weekly"].as_array().unwrap().clone();
    let dropped = weekly.remove(0);
    let body = json!({ "weekly": weekly, "exceptions": hours["hours"]["exceptions"] });
    let changed = world
        .http
        .put(world.url(&path))
        .bearer_auth(&token)
        .header("If-Match", format!("\"{version}\""))
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(changed.status(), StatusCode::OK, "{}", changed.text().await.unwrap());
    world.kill("vendor").await;
    world.run("vendor", &["vendor"]).await;
    release_relay_lock(&mut relay_lock, "vendor").await;
    let unpublished = "select count(*) from vendor.outbox where published_at is null";
    world.until("the event is published", async || world.count(unpublished).await == 0).await;
    // One inbox row for each event that the handler takes, and the read model is as its source.
    let missing = "select count(*) from vendor.outbox event where type = 'hours.updated' and not exists ( \
                   select from booking.inbox where handler = 'hours_updated' and event_id = event.id)";
    world.until("the event is handled", async || world.count(missing).await == 0).await;
    let (events, effects) = (
        world.count("select count(*) from vendor.outbox where type = 'hours.updated'").await,
        world.count("select count(*) from booking.inbox where handler = 'hours_updated'").await,
    );
    assert_eq!(events, effects);
    let told = world.expect(Method::GET, &path, None, None, StatusCode::OK).await;
    assert_eq!(told["version"], version + 1);
    assert!(!told["hours"]["weekly"].as_array().unwrap().contains(&dropped));
    let (read_version, read_hours): (i64, String) =
        sqlx::query_as("select version, hours::text from booking.service_availability where id = $1::uuid")
            .bind(clinic_id)
            .fetch_one(&mut world.database().await)
            .await
            .unwrap();
    let read_hours: Value = serde_json::from_str(&read_hours).unwrap();
    assert_eq!((json!(read_version), &read_hours), (told["version"].clone(), &told["hours"]));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_vendor_service_booking_goes_on_and_others_are_told() {
    let mut world = World::without_services().await;
    world.run("edge", &["auth", "booking", "edge"]).await;
    world.run("vendor", &["vendor"]).await;
    let token = world.sign_in("budi@petpro.example").await;
    let slot = world.free_slot().await;
    world.kill("vendor").await;

    let asked = Instant::now();
    let (status, problem) = world.ask(Method::GET, "/clinics", None, None).await;
    assert_eq!((status, problem["code"].as_str()), (503, Some("unavailable")));
    println!("callers of vendor are told after {:?}", asked.elapsed());
    let path = format!("/bookings/availability?serviceId={}&from={}", slot.service, &slot.starts_at[..10]);
    let free = world.expect(Method::GET, &path, None, None, StatusCode::OK).await;
    assert!(!free["items"].as_array().unwrap().is_empty());
    let asked = world.http.post(world.url("/bookings")).bearer_auth(&token).json(&slot.wish()).send().await.unwrap();
    assert_eq!(
        (asked.status(), asked.headers()["x-fallback"].to_str().unwrap()),
        (StatusCode::CREATED, "schedule_copy")
    );
    let booking: Value = asked.json().await.unwrap();
    assert_eq!((booking["provisional"].as_bool(), booking["status"].as_str()), (Some(true), Some("pending")));

    world.run("vendor", &["vendor"]).await;
    world.expect(Method::GET, "/clinics", None, None, StatusCode::OK).await;
    let path = format!("/bookings/{}", booking["id"].as_str().unwrap());
    world
        .until("the booking is checked", async || {
            let found = world.expect(Method::GET, &path, Some(&token), None, StatusCode::OK).await;
            found["provisional"] == false && found.get("attention").is_none()
        })
        .await;
    world.stop().await;
}

/// Flow 3 of document 003: whatever fails, there is never an active user without the vendor.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_killed_at_any_step_leaves_no_active_user_without_the_vendor() {
    let mut world = World::without_services().await;
    world.run("edge", &["auth", "booking", "edge"]).await;
    for (number, step) in [Step::MakingTheUser, Step::MakingTheVendor, Step::ActivatingTheUser].into_iter().enumerate()
    {
        world.run("vendor", &["vendor"]).await;
        let email = format!("owner{number}@petpro.example");
        let mut lock = world.database().await;
        let mut row_lock = world.database().await;
        let table = if step == Step::MakingTheUser { "auth.users" } else { "vendor.vendors" };
        sqlx::raw_sql("begin").execute(&mut lock).await.unwrap();
        let statement = format!("lock table {table} in exclusive mode");
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut lock).await.unwrap();
        let request = world.http.post(world.url("/vendors")).json(&registration(&email)).send();
        let asking = tokio::spawn(request);
        world.until_somebody_waits(if step == Step::MakingTheUser { "%email%" } else { "%vendors%" }).await;
        if step == Step::ActivatingTheUser {
            sqlx::raw_sql("begin").execute(&mut row_lock).await.unwrap();
            sqlx::query("select from auth.users where email = $1 for update")
                .bind(&email)
                .execute(&mut row_lock)
                .await
                .unwrap();
            sqlx::raw_sql("rollback").execute(&mut lock).await.unwrap();
            world.until_somebody_waits("%users%").await;
        }
        world.kill("vendor").await;
        let (locked, row_locked) = (lock.close().await, row_lock.close().await);
        locked.and(row_locked).unwrap();
        let answer = asking.await.unwrap();
        assert!(!answer.is_ok_and(|answer| answer.status().is_success()), "{step:?} was answered");

        // As if a while had passed: nobody who asked for it can still be waiting.
        let aged = "update vendor.registrations set updated_at = updated_at - interval '10 minutes' \
                    where step not in ('done', 'failed')";
        sqlx::raw_sql(aged).execute(&mut world.database().await).await.unwrap();
        world.run("vendor", &["vendor"]).await;
        let open = "select count(*) from vendor.registrations where step not in ('done', 'failed')";
        world.until("the registration is settled", async || world.count(open).await == 0).await;
        let orphans = "select count(*) from auth.users u where status = 'active' and email like 'owner%' \
                       and not exists (select from vendor.memberships m where m.user_id = u.id)";
        assert_eq!(world.count(orphans).await, 0, "{step:?}");
        // Before the vendor is written there is nothing to finish; from then on nothing is given up.
        let outcome = outcome_of_the_newest_registration(&world).await;
        let expected =
            if step == Step::ActivatingTheUser { ("done", true, true, 1) } else { ("failed", false, false, 0) };
        assert_eq!((outcome.0.as_str(), outcome.1, outcome.2, outcome.3), expected, "{step:?}");
        world.terminate("vendor").await;
    }
    world.stop().await;
}

/// Where it ended, whether its user is active, whether its vendor is there, and how many memberships join the two.
async fn outcome_of_the_newest_registration(world: &World) -> (String, bool, bool, i64) {
    let query = "select step, \
                 exists (select from auth.users where id = user_id and status = 'active'), \
                 exists (select from vendor.vendors where id = vendor_id), \
                 (select count(*) from vendor.memberships as membership \
                  where membership.user_id = registration.user_id and membership.vendor_id = registration.vendor_id \
                  and membership.status = 'active') \
                 from vendor.registrations as registration order by created_at desc limit 1";
    sqlx::query_as(query).fetch_one(&mut world.database().await).await.unwrap()
}

/// Where a registration is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    MakingTheUser,
    MakingTheVendor,
    ActivatingTheUser,
}

fn registration(email: &str) -> Value {
    json!({
        "owner": { "email": email, "password": personal::PASSWORD, "firstName": personal::text("Owner") },
        "name": "Klinik Baru",
        "kind": "clinic",
    })
}

/// Keeps a service's relay from publishing: what it commits stays in its outbox.
async fn hold_relay_lock(world: &World, service: &str) -> PgConnection {
    let mut session = world.database().await;
    sqlx::query("select pg_advisory_lock($1)")
        .bind(store::relay_lock_key(service))
        .execute(&mut session)
        .await
        .unwrap();
    session
}

async fn release_relay_lock(session: &mut PgConnection, service: &str) {
    sqlx::query("select pg_advisory_unlock($1)").bind(store::relay_lock_key(service)).execute(session).await.unwrap();
}
