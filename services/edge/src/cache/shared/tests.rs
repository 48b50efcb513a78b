//! Against a real Redis.

use super::*;
use crate::cache::things::Part;
use serde_json::json;
use testkit::{Redis, RedisOptions};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(30);

struct World {
    redis: Redis,
    cache: SharedCache,
    heard: Heard,
}

impl World {
    async fn start() -> World {
        let redis = Redis::start(RedisOptions::default()).await.unwrap();
        let world = World { cache: connected(&redis).await, redis, heard: heard() };
        world.until_connected(&world.cache).await;
        world
    }

    async fn until_connected(&self, cache: &SharedCache) {
        assert!(cache.link.connect(&Telling { cache, heard: &self.heard }).await);
    }

    async fn tell(&self, thing: Thing) {
        let told = [(thing, Instant::now())];
        self.cache.link.invoke(&self.cache.hearing(&told), None, |_: i64| Some(())).await.unwrap();
    }

    async fn ticket(&self, key: &Key) -> Ticket {
        self.cache.read(key).await.unwrap().ticket
    }

    async fn write(&self, key: &Key, ticket: &Ticket, entry: &Entry) -> bool {
        self.cache.write(key, ticket, entry, PATIENCE).await
    }

    async fn kept(&self, key: &Key) -> Option<Bytes> {
        self.cache.read(key).await.unwrap().kept.map(|(body, left)| {
            assert!(left <= PATIENCE);
            body
        })
    }

    async fn command(&self, name: &str) {
        let client = redis::Client::open(self.redis.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        redis::cmd(name).exec_async(&mut connection).await.unwrap();
    }
}

fn heard() -> Heard {
    Heard::new(["vendor"], PATIENCE)
}

async fn connected(redis: &Redis) -> SharedCache {
    let config = RedisConfig { url: Some(redis.url().into()), ..RedisConfig::default() };
    let cache = CacheConfig { redis_timeout_ms: 5_000, ..CacheConfig::default() };
    SharedCache::new(&config, &cache, IntGauge::new("shared", "x").unwrap()).unwrap().unwrap()
}

fn key() -> Key {
    Key::of("vendor.findOne", &json!({ "id": Uuid::now_v7() })).unwrap()
}

fn entry(vendor: Uuid, version: i64) -> Entry {
    let things = [Thing::One("vendor", vendor), Thing::Gap("vendor")];
    let parts = things.map(|thing| Part { thing, is_foreign: false }).to_vec();
    let now = Instant::now();
    Entry { body: version.to_string().into(), version: Some(version), parts, since: now, fetched: now }
}

#[tokio::test]
async fn what_was_asked_for_before_an_event_is_neither_kept_nor_given() {
    let world = World::start().await;
    let (key, vendor, other) = (key(), Uuid::now_v7(), Uuid::now_v7());
    let early = world.ticket(&key).await;
    assert!(world.write(&key, &early, &entry(vendor, 1)).await);
    assert_eq!(world.kept(&key).await.unwrap(), "1");
    world.tell(Thing::One("vendor", other)).await;
    assert_eq!(world.kept(&key).await.unwrap(), "1", "an event of another one");
    for thing in [Thing::One("vendor", vendor), Thing::Gap("vendor")] {
        let before = world.ticket(&key).await;
        world.tell(thing).await;
        assert_eq!(world.kept(&key).await, None);
        assert!(!world.write(&key, &before, &entry(vendor, 2)).await && world.kept(&key).await.is_none());
        let after = world.ticket(&key).await;
        assert!(world.write(&key, &after, &entry(vendor, 2)).await);
        assert_eq!(world.kept(&key).await.unwrap(), "2");
    }
}

#[tokio::test]
async fn an_old_version_never_replaces_a_newer_one() {
    let world = World::start().await;
    let (key, vendor) = (key(), Uuid::now_v7());
    let ticket = world.ticket(&key).await;
    assert!(world.write(&key, &ticket, &entry(vendor, 7)).await);
    assert!(!world.write(&key, &ticket, &entry(vendor, 6)).await);
    world.tell(Thing::Any("somebody else")).await;
    let later = world.ticket(&key).await;
    assert!(!world.write(&key, &later, &entry(vendor, 6)).await);
    assert!(world.write(&key, &later, &entry(vendor, 7)).await, "a later look at the same version");
    assert!(!world.write(&key, &ticket, &entry(vendor, 7)).await);
    assert!(world.write(&key, &ticket, &entry(vendor, 8)).await);
    assert_eq!(world.kept(&key).await.unwrap(), "8");
}

#[tokio::test]
async fn a_redis_that_has_forgotten_what_was_heard_gives_nothing() {
    let world = World::start().await;
    let (key, vendor) = (key(), Uuid::now_v7());
    let ticket = world.ticket(&key).await;
    assert!(world.write(&key, &ticket, &entry(vendor, 1)).await);
    let client = redis::Client::open(world.redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd("DEL").arg(HEARD).exec_async(&mut connection).await.unwrap();
    assert_eq!(world.kept(&key).await, None);
    assert!(!world.write(&key, &ticket, &entry(vendor, 1)).await, "it was asked for before");
    let ticket = world.ticket(&key).await;
    assert!(world.write(&key, &ticket, &entry(vendor, 1)).await);
    world.command("FLUSHALL").await;
    assert_eq!(world.kept(&key).await, None);
    assert!(!world.write(&key, &ticket, &entry(vendor, 1)).await);
}

#[tokio::test]
async fn one_that_was_away_is_told_what_it_has_missed() {
    let world = World::start().await;
    let (key, vendor) = (key(), Uuid::now_v7());
    let ticket = world.ticket(&key).await;
    assert!(world.write(&key, &ticket, &entry(vendor, 1)).await);
    // Another edge, which has heard of the vendor while it had no connection.
    world.heard.event("vendor", Some(vendor));
    let late = connected(&world.redis).await;
    assert!(late.read(&key).await.is_none(), "it has no connection");
    world.until_connected(&late).await;
    assert!(world.heard.untold(10).is_empty());
    assert!(late.read(&key).await.unwrap().kept.is_none());
}

#[tokio::test]
async fn a_ticket_of_a_redis_that_was_started_anew_is_worth_nothing() {
    let world = World::start().await;
    let (key, vendor) = (key(), Uuid::now_v7());
    let ticket = world.ticket(&key).await;
    world.redis.kill().await.unwrap();
    assert!(world.cache.read(&key).await.is_none());
    world.redis.restart().await.unwrap();
    world.until_connected(&world.cache).await;
    assert!(!world.write(&key, &ticket, &entry(vendor, 1)).await);
    let ticket = world.ticket(&key).await;
    assert!(world.write(&key, &ticket, &entry(vendor, 1)).await);
}

/// Two edges and a service that changes its rows: whatever the order, what is given was true after the last event that
/// was told before it was asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_told_is_ever_contradicted() {
    let world = World::start().await;
    let (key, vendor) = (key(), Uuid::now_v7());
    // The row, and the version of which everybody has been told.
    let (row, told) = (std::sync::atomic::AtomicI64::new(1), std::sync::atomic::AtomicI64::new(1));
    let order = std::sync::atomic::Ordering::SeqCst;
    let change = async {
        for _ in 0..300 {
            let version = row.fetch_add(1, order) + 1;
            tokio::task::yield_now().await;
            world.tell(Thing::One("vendor", vendor)).await;
            told.store(version, order);
        }
    };
    let read = async || {
        let mut given = 0;
        while told.load(order) < 301 {
            let known = told.load(order);
            let found = world.cache.read(&key).await.unwrap();
            match found.kept {
                Some((body, _)) => {
                    let version: i64 = std::str::from_utf8(&body).unwrap().parse().unwrap();
                    assert!(version >= known, "{version} is given, {known} was told");
                    given += 1;
                }
                None => {
                    let version = row.load(order);
                    tokio::task::yield_now().await;
                    world.write(&key, &found.ticket, &entry(vendor, version)).await;
                }
            }
        }
        given
    };
    let (_, one, other) = tokio::join!(change, read(), read());
    println!("{} answers from redis during 300 changes", one + other);
    if let Some(body) = world.kept(&key).await {
        assert_eq!(body, "301");
    }
}
