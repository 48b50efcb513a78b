//! How fast the relay is. The figures are printed, not asserted; `PETPRO_RELAY_ROWS` and `PETPRO_RELAY_PUBLISHED` set how
//! many rows wait, and how many stand beside them that are published.

use crate::world::World;
use std::time::{Duration, Instant};

const UNPUBLISHED: &str = "select count(*) from vendor.outbox where published_at is null";
/// 0 or 1, without reading all of them.
const ANY_UNPUBLISHED: &str =
    "select count(*) from (select from vendor.outbox where published_at is null limit 1) as found";

fn setting(name: &str, otherwise: i64) -> i64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// Two events of each aggregate, told within the last `hours`.
pub async fn tell_many(world: &World, rows: i64, hours: i64, published: bool) {
    let place = if published {
        "clock_timestamp() - interval '1 hour', 'EVENTS_VENDOR', (select created from vendor.stream_created), number"
    } else {
        "null, null, null::timestamptz, null::bigint"
    };
    world
        .execute(&format!(
            "insert into vendor.outbox (id, type, aggregate_id, version, partition, headers, body, created_at, \
                 published_at, stream, incarnation, sequence)
             select (lpad(to_hex((extract(epoch from told_at) * 1000)::bigint), 12, '0') || '7'
                     || substr(md5(number::text || '{published}'), 1, 3) || '8'
                     || substr(md5('{published}' || number::text), 1, 15))::uuid,
                 'vendor.noted', md5('{published}' || (number / 2)::text)::uuid, number % 2 + 1, 0,
                 jsonb_build_object('x-correlation-id', number::text),
                 jsonb_build_object('note_id', md5((number / 2)::text)::uuid, 'version', number % 2 + 1, 'text',
                     repeat('x', 400)),
                 told_at, {place}
             from (
                 select number, clock_timestamp() - interval '1 hour' * ({hours} * ({rows} - number) / {rows}::float8) as told_at
                 from generate_series(1, {rows}) as number
             ) as told"
        ))
        .await;
}

/// The relay has a table of its own for the time at which the stream was made, so that rows can say it.
pub async fn note_stream_created(world: &World) {
    let jetstream = async_nats::jetstream::new(world.client("operator").await);
    let stream = jetstream.get_stream("EVENTS_VENDOR").await.unwrap();
    let created = stream.cached_info().created;
    let created = chrono::DateTime::from_timestamp(created.unix_timestamp(), created.nanosecond()).unwrap();
    world
        .execute(&format!(
            "create table vendor.stream_created as select '{}'::timestamptz as created",
            created.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
        ))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_is_drained() {
    let world = World::start().await;
    note_stream_created(&world).await;
    let (waiting, published) = (setting("PETPRO_RELAY_ROWS", 4_000), setting("PETPRO_RELAY_PUBLISHED", 4_000));
    if published > 0 {
        tell_many(&world, published, 24 * 6, true).await;
        // What is published stands where the stream's limits have dropped it.
        world.execute("update vendor.outbox set sequence = sequence - 100000000 where published_at is not null").await;
    }
    tell_many(&world, waiting, 1, false).await;
    let told = world.number(UNPUBLISHED).await;
    let began = Instant::now();
    let teller = world.teller().await;
    let patience = tokio::time::timeout(Duration::from_secs(600), async {
        while world.number(ANY_UNPUBLISHED).await > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    patience.await.unwrap();
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{told} events beside {published} published ones drained in {seconds:.1} s: {:.0} a second",
        told as f64 / seconds
    );
    let jetstream = async_nats::jetstream::new(world.client("operator").await);
    let state = jetstream.get_stream("EVENTS_VENDOR").await.unwrap().cached_info().state.clone();
    let different = "select count(distinct (incarnation, sequence)) from vendor.outbox where sequence > 0";
    assert_eq!((i64::try_from(state.last_sequence).unwrap(), world.number(different).await), (told, told), "{state:?}");
    teller.running.drain().await.unwrap();
}

/// Postgres learns from time to time how many rows wait, mostly when none do. What it believes then must not have it look
/// through all that waits for each batch that is noted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_is_read_once_also_where_the_statistics_know_of_none() {
    const READ: &str = "select coalesce(sum(idx_tup_read), 0)::bigint from pg_stat_user_indexes \
        where schemaname = 'vendor' and relname like 'outbox%' and indexrelname like '%aggregate_id_version_id_idx'";
    let world = World::start().await;
    note_stream_created(&world).await;
    tell_many(&world, 30_000, 1, true).await;
    world.execute("update vendor.outbox set sequence = sequence - 100000000 where published_at is not null").await;
    world.execute("vacuum analyze vendor.outbox").await;
    tell_many(&world, 20_000, 1, false).await;
    let teller = world.teller().await;
    world.until_within(ANY_UNPUBLISHED, 0, 120).await;
    teller.running.drain().await.unwrap();
    let read = world.number(READ).await;
    assert!(read >= 20_000, "{read} rows are known to have been read: the index has another name now");
    assert!(read < 6 * 20_000, "{read} rows were read in order to publish 20000");
}
