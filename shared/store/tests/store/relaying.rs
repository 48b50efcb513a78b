//! The outbox and its relay.

use crate::world::{PutNote, RunningTeller, VendorNoted, World, put_note};
use futures::future::join_all;
use sqlx::Connection as _;
use std::collections::{BTreeSet, HashMap};
use subjects::{Event as _, event};
use uuid::Uuid;

const UNPUBLISHED: &str = "select count(*) from vendor.outbox where published_at is null";

#[tokio::test]
async fn an_event_is_published_once_with_all_that_travels_with_it() {
    let world = World::start().await;
    let teller = world.teller().await;
    let id = Uuid::now_v7();
    let cx = teller.cx(None);
    put_note(cx.clone(), PutNote { id, text: "hello".to_owned() }).await.unwrap();
    world.until(UNPUBLISHED, 0).await;

    let events = world.events("vendor").await;
    assert_eq!(events.len(), 1);
    let (headers, body) = &events[0];
    assert_eq!(body, &serde_json::json!({ "note_id": id, "version": 1, "text": "hello" }));
    let header = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
    let event_id: Uuid = header("ce-id").unwrap().parse().unwrap();
    assert_eq!(header("Nats-Msg-Id"), Some(event_id.to_string()));
    assert_eq!(header("ce-specversion").as_deref(), Some("1.0"));
    assert_eq!(header("ce-type").as_deref(), Some(VendorNoted::TYPE));
    assert_eq!(header("ce-source").as_deref(), Some("/services/vendor"));
    assert_eq!(header("ce-subject"), Some(id.to_string()));
    assert_eq!(header("Content-Type").as_deref(), Some("application/json"));
    assert_eq!(header("x-correlation-id").as_ref(), Some(&cx.meta().correlation_id));
    assert_eq!(header("traceparent"), cx.meta().traceparent);
    assert_eq!(header("petpro-origin").as_deref(), Some("note.put"));
    assert!(chrono::DateTime::parse_from_rfc3339(&header("ce-time").unwrap()).is_ok());
    let stored = format!(
        "select count(*) from vendor.outbox where id = '{event_id}' and stream = 'EVENTS_VENDOR' and sequence = 1 \
         and incarnation is not null and partition = {}",
        event::partition(id)
    );
    assert_eq!(world.number(&stored).await, 1);
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn the_events_of_an_aggregate_come_in_the_order_of_their_versions() {
    let world = World::start().await;
    // Written by hand, so that ids say the opposite of versions.
    world
        .execute(
            "insert into vendor.outbox (id, type, aggregate_id, version, partition, headers, body)
             select ('00000000-0000-7000-8000-' || lpad((9000 - version * 100 + number)::text, 12, '0'))::uuid, 'vendor.noted',
                 aggregate, version, 0, '{}', jsonb_build_object('note_id', aggregate, 'version', version, 'text', '')
             from (select number, gen_random_uuid() as aggregate from generate_series(1, 50) as number) as aggregates,
                 generate_series(1, 5) as version",
        )
        .await;
    let teller = world.teller().await;
    world.until(UNPUBLISHED, 0).await;

    let mut versions: HashMap<String, Vec<i64>> = HashMap::new();
    for (_, body) in world.events("vendor").await {
        versions.entry(body["note_id"].to_string()).or_default().push(body["version"].as_i64().unwrap());
    }
    assert_eq!(versions.len(), 50);
    assert!(versions.values().all(|versions| versions == &[1, 2, 3, 4, 5]), "{versions:?}");
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn whoever_holds_the_lock_keeps_the_relay_from_working() {
    let world = World::start().await;
    let mut elsewhere = world.admin().await;
    let lock_key = store::relay_lock_key("vendor");
    sqlx::query("select pg_advisory_lock($1)").bind(lock_key).execute(&mut elsewhere).await.unwrap();
    let teller = world.teller().await;
    teller.put(None, Uuid::now_v7(), "hello").await.unwrap();
    assert_eq!(world.number(UNPUBLISHED).await, 1);

    elsewhere.close().await.unwrap();
    world.until(UNPUBLISHED, 0).await;
    assert_eq!(world.events("vendor").await.len(), 1);
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn another_replica_takes_over_and_nothing_is_lost_or_doubled() {
    let world = World::start().await;
    let (one, two) = tokio::join!(world.teller(), world.teller());
    let (one_replica, two_replica) = (&one, &two);
    let ended = "select count(pg_terminate_backend(pid)) from pg_locks join pg_stat_activity using (pid) \
                 where locktype = 'advisory' and granted and application_name = 'petpro-vendor-relay' \
                     and datname = current_database()";
    let mut told = 0;
    for round in 0..3 {
        let text = &|replica: &str, number: i32| format!("{replica} {round} {number}");
        let first = join_all((0..20).map(|number| async move { one_put(one_replica, &text("one", number)).await }));
        let second = join_all((0..20).map(|number| async move { one_put(two_replica, &text("two", number)).await }));
        tokio::join!(first, second, world.until(ended, 1));
        told += 40;
    }
    world.until(UNPUBLISHED, 0).await;
    assert_eq!(world.events("vendor").await.len(), told);

    // A replica that leaves gives the lock back.
    one.running.drain().await.unwrap();
    one_put(&two, "after one has left").await;
    world.until(UNPUBLISHED, 0).await;
    assert_eq!(world.events("vendor").await.len(), told + 1);
    two.running.drain().await.unwrap();
}

async fn one_put(teller: &RunningTeller, text: &str) {
    teller.put(None, Uuid::now_v7(), text).await.unwrap();
}

#[tokio::test]
async fn while_nats_is_away_the_outbox_grows() {
    let world = World::start().await;
    let teller = world.teller().await;
    one_put(&teller, "before").await;
    world.until(UNPUBLISHED, 0).await;

    world.nats.kill().await.unwrap();
    for number in 0..10 {
        one_put(&teller, &format!("while away {number}")).await;
    }
    assert_eq!(world.number(UNPUBLISHED).await, 10);
    world.nats.restart().await.unwrap();
    world.until(UNPUBLISHED, 0).await;
    assert_eq!(world.events("vendor").await.len(), 11);
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn a_stream_that_was_made_anew_holds_the_old_events_again() {
    let world = World::start().await;
    let teller = world.teller().await;
    for number in 0..3 {
        one_put(&teller, &format!("before {number}")).await;
    }
    world.until(UNPUBLISHED, 0).await;
    let old_ids = event_ids(&world).await;

    // First while there is something to publish, then while there is nothing.
    let unbounded = async_nats::jetstream::new(world.unbounded_client().await);
    unbounded.delete_stream("EVENTS_VENDOR").await.unwrap();
    world.provision().await;
    for number in 0..3 {
        one_put(&teller, &format!("after {number}")).await;
    }
    world.until(UNPUBLISHED, 0).await;
    assert_eq!(world.number("select count(distinct incarnation) from vendor.outbox").await, 1);
    let all_ids = event_ids(&world).await;
    assert!(all_ids.len() == 6 && all_ids.is_superset(&old_ids), "{all_ids:?} {old_ids:?}");

    world.execute("create table vendor.before as select * from vendor.outbox").await;
    unbounded.delete_stream("EVENTS_VENDOR").await.unwrap();
    world.provision().await;
    let noted_anew = "select count(*) from vendor.outbox join vendor.before using (id) \
                      where outbox.incarnation > before.incarnation";
    world.until(noted_anew, 6).await;
    assert_eq!(event_ids(&world).await, all_ids);
    teller.running.drain().await.unwrap();
}

async fn event_ids(world: &World) -> BTreeSet<String> {
    let events = world.events("vendor").await;
    events.iter().map(|(headers, _)| headers.get("ce-id").unwrap().to_string()).collect()
}

/// As many as no batch holds, of an aggregate that comes before all others in every order.
#[tokio::test]
async fn an_event_that_cannot_be_published_keeps_back_its_own_aggregate_only() {
    let world = World::start().await;
    world
        .execute(
            "insert into vendor.outbox (id, type, aggregate_id, version, partition, headers, body)
             select ('00000000-0000-7000-8000-' || lpad(version::text, 12, '0'))::uuid, 'vendor.noted',
                 '00000000-0000-7000-8000-000000000000', version, 0, '{}',
                 jsonb_build_object('text', case when version = 1 then repeat('x', 1200000) else '' end)
             from generate_series(1, 1500) as version",
        )
        .await;
    let teller = world.teller().await;
    for number in 0..20 {
        one_put(&teller, &format!("another {number}")).await;
    }
    world.until(UNPUBLISHED, 1_500).await;
    assert_eq!(world.events("vendor").await.len(), 20);

    world.execute("delete from vendor.outbox where version > 3").await;
    world.execute("update vendor.outbox set body = '{}' where length(body::text) > 1000000").await;
    world.until(UNPUBLISHED, 0).await;
    assert_eq!(world.events("vendor").await.len(), 23);
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn an_event_whose_place_another_one_has_is_published_again() {
    let world = World::start().await;
    let teller = world.teller().await;
    one_put(&teller, "lost").await;
    world.until(UNPUBLISHED, 0).await;
    // As after a copy of the stream's folder was put back: the place of the next event is one that a row has.
    world.execute("update vendor.outbox set sequence = 2").await;
    one_put(&teller, "found in its place").await;
    world.until(UNPUBLISHED, 0).await;
    assert_eq!(world.number("select count(distinct sequence) from vendor.outbox where sequence in (1, 2)").await, 2);
    teller.running.drain().await.unwrap();
}
