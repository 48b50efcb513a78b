//! A broker that has forgotten: what the relay puts back by itself, by each sign, and what an operator has it put back.

use crate::world::{RunningTeller, World};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use store::relay::{refill, status};
use subjects::ops::{RefillMode, RefillOutbox};
use subjects::{ErrorCode, event};
use uuid::Uuid;

pub const UNPUBLISHED: &str = "select count(*) from vendor.outbox where published_at is null";
const STREAM: &str = "EVENTS_VENDOR";

/// What is there of the vendor service's stream: the event at each sequence.
pub async fn stream_ids(world: &World) -> BTreeMap<i64, Uuid> {
    let jetstream = async_nats::jetstream::new(world.client("operator").await);
    let stream = jetstream.get_stream(STREAM).await.unwrap();
    let state = stream.cached_info().state.clone();
    let mut ids = BTreeMap::new();
    for sequence in state.first_sequence.max(1)..=state.last_sequence {
        if let Ok(message) = stream.get_raw_message(sequence).await {
            let id = message.headers.get("ce-id").unwrap().as_str().parse().unwrap();
            ids.insert(i64::try_from(sequence).unwrap(), id);
        }
    }
    ids
}

/// Where the rows are noted.
async fn noted_ids(world: &World) -> BTreeMap<i64, Uuid> {
    let sql = "select sequence, id from vendor.outbox where published_at is not null";
    let rows: Vec<(i64, Uuid)> = sqlx::query_as(sql).fetch_all(&mut world.admin().await).await.unwrap();
    let count = rows.len();
    let noted: BTreeMap<i64, Uuid> = rows.into_iter().collect();
    assert_eq!(noted.len(), count, "a place is noted twice");
    noted
}

/// Waits until every event is noted where the stream has it.
async fn until_all_is_there(world: &World) {
    let patience = tokio::time::timeout(std::time::Duration::from_secs(60), async {
        loop {
            world.until(UNPUBLISHED, 0).await;
            let (noted, there) = (noted_ids(world).await, stream_ids(world).await);
            if noted.iter().all(|(sequence, id)| there.get(sequence) == Some(id)) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    });
    assert!(patience.await.is_ok(), "noted {:?}\nthere {:?}", noted_ids(world).await, stream_ids(world).await);
}

pub async fn put_many(teller: &RunningTeller, what: &str, count: usize) {
    for number in 0..count {
        teller.put(None, Uuid::now_v7(), &format!("{what} {number}")).await.unwrap();
    }
}

/// How many events this replica has put back by a sign.
fn put_back(teller: &RunningTeller, sign: &str) -> u64 {
    let families = teller.run.metrics.gather();
    let family = families.iter().find(|family| family.name() == "petpro_outbox_put_back_total");
    let metrics = family.map_or(&[][..], |family| family.get_metric());
    let of_sign = metrics.iter().filter(|metric| metric.get_label().iter().any(|label| label.value() == sign));
    of_sign.map(|metric| metric.get_counter().get_value() as u64).sum()
}

async fn unbounded_stream(world: &World) -> async_nats::jetstream::stream::Stream {
    let unbounded = async_nats::jetstream::new(world.unbounded_client().await);
    unbounded.get_stream(STREAM).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_deleted_under_load_is_filled_again_in_order() {
    let world = World::start().await;
    let teller = world.teller().await;
    // Ten versions of each of thirty aggregates, some of yesterday.
    world
        .execute(
            "insert into vendor.outbox (id, type, aggregate_id, version, partition, headers, body)
             select (lpad(to_hex((extract(epoch from now() - interval '6 hours' * (10 - version)) * 1000)::bigint), 12, '0')
                     || '7' || substr(md5(number::text), 1, 3) || '8' || substr(md5(version::text || number::text), 1, 15))::uuid,
                 'vendor.noted', md5(number::text)::uuid, version, 0, '{}',
                 jsonb_build_object('note_id', md5(number::text)::uuid, 'version', version, 'text', '')
             from generate_series(1, 30) as number, generate_series(1, 10) as version",
        )
        .await;
    world.until(UNPUBLISHED, 0).await;
    for round in 0..2 {
        let what = format!("during {round}");
        let during = put_many(&teller, &what, 100);
        let wiping = async {
            world.nats.wipe_store().await.unwrap();
            world.provision().await;
        };
        tokio::join!(during, wiping);
        until_all_is_there(&world).await;
        assert_eq!(stream_ids(&world).await.values().collect::<BTreeSet<_>>().len(), 400 + 100 * round);
    }
    assert!(put_back(&teller, "incarnation") >= 600, "{}", put_back(&teller, "incarnation"));
    let mut versions: HashMap<String, Vec<i64>> = HashMap::new();
    for (_, body) in world.events("vendor").await {
        versions.entry(body["note_id"].to_string()).or_default().push(body["version"].as_i64().unwrap());
    }
    assert!(versions.values().all(|versions| versions.is_sorted()), "{versions:?}");
    teller.running.drain().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_copy_that_is_put_back_gets_what_it_does_not_have() {
    let world = World::start().await;
    let teller = world.teller().await;
    put_many(&teller, "before the copy", 20).await;
    world.until(UNPUBLISHED, 0).await;
    let copies = tempfile::tempdir().unwrap();
    let copy = copies.path().join("copy");
    world.nats.copy_store(&copy).await.unwrap();
    put_many(&teller, "after the copy", 30).await;
    world.until(UNPUBLISHED, 0).await;

    // With nothing new to tell.
    world.nats.put_store_back(&copy).await.unwrap();
    until_all_is_there(&world).await;
    assert_eq!(stream_ids(&world).await.len(), 50);
    assert_eq!(put_back(&teller, "last_sequence"), 30);

    // While the relay is held up and much is told: the stream gives places away that others have.
    let mut holder = world.admin().await;
    let terminate = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                     where application_name = 'petpro-vendor-relay' and datname = current_database()";
    let (lock, key) = ("select pg_advisory_lock($1)", store::relay_lock_key("vendor"));
    let (locked, _) = tokio::join!(sqlx::query(lock).bind(key).execute(&mut holder), world.execute(terminate));
    locked.unwrap();
    put_many(&teller, "while it was put back", 100).await;
    world.nats.put_store_back(&copy).await.unwrap();
    sqlx::Connection::close(holder).await.unwrap();
    until_all_is_there(&world).await;
    assert_eq!(stream_ids(&world).await.len(), 150);
    teller.running.drain().await.unwrap();
}

/// As after a relay that was killed when it had published and not noted, to a stream that had lost its end before.
#[tokio::test]
async fn a_place_that_a_row_of_another_day_has_is_noticed() {
    let world = World::start().await;
    let created = unbounded_stream(&world).await.cached_info().created;
    let created = chrono::DateTime::from_timestamp(created.unix_timestamp(), created.nanosecond()).unwrap();
    world
        .execute(&format!(
            "insert into vendor.outbox (id, type, aggregate_id, version, partition, headers, body, published_at, stream, \
                 incarnation, sequence)
             select (lpad(to_hex((extract(epoch from now() - interval '1 day') * 1000)::bigint), 12, '0') || '70008000' ||
                 lpad(number::text, 12, '0'))::uuid, 'vendor.noted', md5(number::text)::uuid, 1, 0, '{{}}',
                 jsonb_build_object('note_id', md5(number::text)::uuid, 'version', 1, 'text', ''), now(), '{STREAM}',
                 '{}', number
             from generate_series(2, 5) as number",
            created.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
        ))
        .await;
    // Three messages that nobody knows of, so that the stream's end says nothing, and what it has in their places is ours.
    let unbounded = async_nats::jetstream::new(world.unbounded_client().await);
    let told = |id: Uuid| {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Nats-Msg-Id", id.to_string().as_str());
        headers.insert("ce-id", id.to_string().as_str());
        headers
    };
    let waiting: Vec<Uuid> = (0..6).map(|_| Uuid::now_v7()).collect();
    for id in &waiting {
        let subject = event::subject("vendor.noted", *id);
        unbounded.publish_with_headers(subject, told(*id), "{}".into()).await.unwrap().await.unwrap();
        world
            .execute(&format!(
                "insert into vendor.outbox (id, type, aggregate_id, version, partition, headers, body)
                 values ('{id}', 'vendor.noted', '{id}', 1, 0, '{{}}', '{{\"note_id\": \"{id}\", \"version\": 1, \"text\": \"\"}}')"
            ))
            .await;
    }
    let teller = world.teller().await;
    until_all_is_there(&world).await;
    assert_eq!(stream_ids(&world).await.len(), 10);
    assert_eq!(put_back(&teller, "taken_place"), 4);
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn a_hole_is_found_and_filled() {
    let world = World::start().await;
    let teller = world.teller().await;
    put_many(&teller, "note", 30).await;
    world.until(UNPUBLISHED, 0).await;
    let stream = unbounded_stream(&world).await;
    for sequence in [1, 7, 8, 20] {
        stream.delete_message(sequence).await.unwrap();
    }
    // As long as the server runs, it takes these for events that it has, and nobody believes it.
    let put_back_and_held = "select count(*) from vendor.outbox where published_at is null";
    world.until(put_back_and_held, 4).await;
    put_many(&teller, "another", 5).await;
    world.until(&format!("{put_back_and_held} and body ->> 'text' like 'another%'"), 0).await;
    world.nats.restart().await.unwrap();
    world.until(UNPUBLISHED, 0).await;
    let there = stream_ids(&world).await;
    assert_eq!(there.values().collect::<BTreeSet<_>>().len(), 35, "{there:?}");
    assert_eq!(put_back(&teller, "audit"), 4);
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn a_row_that_stands_where_another_event_is_is_found_by_reading_samples() {
    let world = World::start().await;
    let teller = world.teller().await;
    put_many(&teller, "note", 6).await;
    world.until(UNPUBLISHED, 0).await;
    world.execute("update vendor.outbox set sequence = sequence + 1000").await;
    world.execute("update vendor.outbox set sequence = 1007 - sequence").await;
    world.until("select count(*) from vendor.outbox where sequence is null or sequence < 1", 0).await;
    until_all_is_there(&world).await;
    assert_eq!(stream_ids(&world).await.len(), 6);
    assert!(put_back(&teller, "audit") > 0);
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn what_the_limits_of_a_stream_have_dropped_is_not_lost() {
    let world = World::start().await;
    let teller = world.teller().await;
    let stream = unbounded_stream(&world).await;
    let mut config = stream.cached_info().config.clone();
    config.max_bytes = 1 << 20;
    let unbounded = async_nats::jetstream::new(world.unbounded_client().await);
    unbounded.update_stream(config).await.unwrap();
    for number in 0..40 {
        teller.put(None, Uuid::now_v7(), &format!("{number} {}", "x".repeat(50_000))).await.unwrap();
    }
    world.until(UNPUBLISHED, 0).await;
    assert!(stream_ids(&world).await.len() < 40);
    let examined = refill(&teller.run.app.store, &teller.run.jetstream, &lost(true)).await.unwrap();
    assert_eq!((examined.examined, examined.lost, examined.next_cursor), (40, 0, None));
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    assert_eq!(put_back(&teller, "audit"), 0);
    teller.running.drain().await.unwrap();
}

fn lost(dry_run: bool) -> RefillOutbox {
    RefillOutbox { mode: RefillMode::Lost, since: None, dry_run, cursor: None }
}

/// No relay works meanwhile, which would find it all by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_refills_what_is_lost_and_all() {
    let world = World::start().await;
    let teller = world.teller().await;
    put_many(&teller, "note", 30).await;
    world.until(UNPUBLISHED, 0).await;
    let mut holder = world.admin().await;
    let terminate = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                     where application_name = 'petpro-vendor-relay' and datname = current_database()";
    let (lock, key) = ("select pg_advisory_lock($1)", store::relay_lock_key("vendor"));
    let (locked, _) = tokio::join!(sqlx::query(lock).bind(key).execute(&mut holder), world.execute(terminate));
    locked.unwrap();
    let stream = unbounded_stream(&world).await;
    for sequence in [2, 3, 30] {
        stream.delete_message(sequence).await.unwrap();
    }
    // Of an earlier stream, and behind the end of this one.
    world.execute("update vendor.outbox set incarnation = incarnation - interval '1 hour' where sequence = 10").await;
    world.execute("update vendor.outbox set sequence = 500 where sequence = 11").await;
    let (store, jetstream) = (&teller.run.app.store, &teller.run.jetstream);

    for _ in 0..2 {
        let dry = refill(store, jetstream, &lost(true)).await.unwrap();
        assert_eq!((dry.examined, dry.lost, dry.put_back, dry.next_cursor), (30, 5, 0, None));
    }
    let done = refill(store, jetstream, &lost(false)).await.unwrap();
    assert_eq!((done.examined, done.lost, done.put_back, done.next_cursor), (30, 5, 5, None));
    assert_eq!(world.number(UNPUBLISHED).await, 5);
    let again = refill(store, jetstream, &lost(false)).await.unwrap();
    assert_eq!((again.examined, again.lost, again.put_back), (25, 0, 0));

    let now = status(store, jetstream).await.unwrap();
    assert_eq!((now.unpublished, now.highest_noted, now.days.len()), (5, Some(29), 1), "{now:?}");
    assert!(now.oldest_age_seconds.is_some_and(|age| age > 0.0 && age < 600.0), "{now:?}");
    assert!(now.published_per_second.is_some_and(|rate| rate > 0.0), "{now:?}");
    let stream_now = now.stream.unwrap();
    assert_eq!((stream_now.name.as_str(), stream_now.messages, stream_now.last_sequence), (STREAM, 27, 30));

    // All: since a time, and from a cursor on.
    let since = |sql: &'static str| {
        let world = &world;
        async move { sqlx::query_scalar(sql).fetch_one(&mut world.admin().await).await.unwrap() }
    };
    let median = since("select created_at from vendor.outbox order by created_at offset 20 limit 1").await;
    let all = |since, dry_run, cursor| RefillOutbox { mode: RefillMode::All, since, dry_run, cursor };
    let dry = refill(store, jetstream, &all(Some(median), true, None)).await.unwrap();
    assert!(dry.examined == dry.lost && dry.put_back == 0 && (9..=10).contains(&dry.examined), "{dry:?}");
    let done = refill(store, jetstream, &all(Some(median), false, None)).await.unwrap();
    assert_eq!((done.examined, done.put_back), (dry.examined, dry.examined));
    let rest = refill(store, jetstream, &all(None, false, None)).await.unwrap();
    assert_eq!((rest.examined, rest.next_cursor), (25 - done.examined, None));
    assert_eq!(world.number(UNPUBLISHED).await, 30);
    let behind_all = refill(store, jetstream, &all(None, true, Some(Uuid::max().to_string()))).await.unwrap();
    assert_eq!(behind_all.examined, 0);
    for refused in [
        all(None, false, Some("7".to_owned())),
        RefillOutbox { cursor: Some(Uuid::nil().to_string()), ..lost(false) },
        RefillOutbox { cursor: Some("'; drop table outbox".to_owned()), ..lost(false) },
    ] {
        assert_eq!(refill(store, jetstream, &refused).await.unwrap_err().code, ErrorCode::BadRequest, "{refused:?}");
    }

    // The server has forgotten by then what it had, so that it takes the lost ones again.
    world.nats.restart().await.unwrap();
    sqlx::Connection::close(holder).await.unwrap();
    until_all_is_there(&world).await;
    assert_eq!(stream_ids(&world).await.values().collect::<BTreeSet<_>>().len(), 30);

    world.nats.kill().await.unwrap();
    assert_eq!(refill(store, jetstream, &lost(false)).await.unwrap_err().code, ErrorCode::Unavailable);
    assert_eq!(status(store, jetstream).await.unwrap().stream, None);
    world.nats.restart().await.unwrap();
    teller.running.drain().await.unwrap();
}

#[tokio::test]
async fn an_event_is_found_by_its_id_and_by_its_request() {
    let world = World::start().await;
    let teller = world.teller().await;
    let cx = teller.cx(None);
    let id = Uuid::now_v7();
    crate::world::put_note(cx.clone(), crate::world::PutNote { id, text: "hello".to_owned() }).await.unwrap();
    put_many(&teller, "of other requests", 3).await;
    world.until(UNPUBLISHED, 0).await;
    let store = &teller.run.app.store;
    let correlation_id = &cx.meta().correlation_id;
    let lineage = store::relay::find_by_correlation(store, correlation_id, 10).await.unwrap();
    assert!(lineage.events.len() == 1 && !lineage.has_more, "{lineage:?}");
    let listed = &lineage.events[0];
    assert_eq!((listed.aggregate_id, listed.body.as_ref()), (id, None));

    let found = store::relay::find_event(store, listed.id.0).await.unwrap().unwrap();
    assert_eq!(found.body.as_ref().unwrap()["text"], "hello");
    assert_eq!((found.event_type.as_str(), found.version), ("vendor.noted", 1));
    assert_eq!(found.correlation_id.as_ref(), Some(correlation_id));
    assert_eq!(found.origin.as_deref(), Some("note.put"));
    assert_eq!((found.stream.as_deref(), found.cause), (Some(STREAM), None));
    assert!(found.sequence.is_some() && found.published_at.is_some());
    assert_eq!(store::relay::find_event(store, Uuid::now_v7()).await.unwrap(), None);

    world.execute("update vendor.outbox set headers = '{\"x-correlation-id\": \"one\"}'").await;
    let some = store::relay::find_by_correlation(store, "one", 3).await.unwrap();
    assert!(some.events.len() == 3 && some.has_more, "{some:?}");
    teller.running.drain().await.unwrap();
}
