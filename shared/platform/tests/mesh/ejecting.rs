//! A replica that fails by itself leaves its queue group, as far as the group can do without it.

use crate::world::{World, ask, call, edge_declaration};
use platform::runtime::{self, Running};
use platform::setup::Setup;
use platform::{App, Cx, Meta, Service};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;
use subjects::auth::{JsonWebKeySet, Jwks};
use subjects::vendor::{Clinic, FindClinic, VendorError};
use subjects::{Fault, NoError, Request, ServiceError};
use tokio::time::Instant;

/// So long that nobody comes back while a test looks.
const FOR_LONG: &str = "[ejection]\naway_ms = 600000\nmax_away_ms = 600000\n";
const PATIENCE: Duration = Duration::from_secs(60);

/// How a replica does.
#[derive(Clone, Copy)]
enum Manner {
    Well = 0,
    Fails = 1,
    Panics = 2,
    /// It asks a service that fails.
    Asks = 3,
}

/// What a test sees of a replica.
#[derive(Default)]
struct Seen {
    manner: AtomicU8,
    handled: AtomicUsize,
}

struct Replica(Arc<Seen>);

impl App for Replica {
    const NAME: &'static str = "auth";
}
platform::calls!(Replica => [FindClinic]);

async fn jwks(cx: Cx<Replica>, _: Jwks) -> Result<JsonWebKeySet, NoError> {
    cx.app.0.handled.fetch_add(1, Ordering::SeqCst);
    let manner = cx.app.0.manner.load(Ordering::SeqCst);
    if manner == Manner::Fails as u8 {
        return Err(Fault::internal("on purpose").into());
    }
    assert_ne!(manner, Manner::Panics as u8, "on purpose");
    if manner == Manner::Asks as u8 {
        let question: FindClinic = serde_json::from_value(json!({ "id": uuid::Uuid::now_v7() })).unwrap();
        cx.call(&question).await.map_err(ServiceError::into_fault)?;
    }
    Ok(JsonWebKeySet { keys: Vec::new() })
}

fn service() -> Service<Replica> {
    Service::new().on(jwks)
}

/// Plays the vendor service, and fails at everything.
struct Broken;

impl App for Broken {
    const NAME: &'static str = "vendor";
}
platform::calls!(Broken => []);

async fn find_clinic(_: Cx<Broken>, _: FindClinic) -> Result<Clinic, VendorError> {
    Err(Fault::internal("on purpose").into())
}

fn broken() -> Service<Broken> {
    Service::new().on(find_clinic)
}

struct Group {
    world: World,
    edge: Setup,
    operator: async_nats::Client,
    replicas: Vec<Member>,
}

struct Member {
    running: Running,
    instance: Arc<str>,
    registry: prometheus::Registry,
    seen: Arc<Seen>,
}

impl Group {
    async fn of(size: usize, settings: &str) -> Group {
        let world = World::of(&[service().declaration(), broken().declaration(), edge_declaration()], settings).await;
        let mut replicas = Vec::new();
        for _ in 0..size {
            let (host, seen) = (world.host(), Arc::new(Seen::default()));
            let setup = Setup::connect(&host, "auth").await.unwrap();
            let instance = setup.instance.clone();
            let running = runtime::start(setup, service(), Replica(seen.clone())).await.unwrap();
            replicas.push(Member { running, instance, registry: host.registry, seen });
        }
        let (edge, operator) = (world.edge().await, world.operator().await);
        Group { world, edge, operator, replicas }
    }

    fn does(&self, replica: usize, manner: Manner) {
        self.replicas[replica].seen.manner.store(manner as u8, Ordering::SeqCst);
    }

    /// Asks so many times, one after the other; answers how many failed.
    async fn ask(&self, times: usize) -> usize {
        let mut failed = 0;
        for _ in 0..times {
            let meta = Meta::background("test");
            let call = call(&meta, "{}", None, Duration::from_secs(20));
            failed += usize::from(self.edge.client.request_raw(Jwks::SUBJECT, call).await.is_err());
        }
        failed
    }

    /// What a replica tells of itself.
    async fn told(&self, replica: usize) -> Value {
        let subject = format!("$SRV.PING.auth.{}", self.replicas[replica].instance);
        ask(&self.operator, &subject, &[], b"").await.1["metadata"].take()
    }

    async fn away(&self) -> Vec<usize> {
        let mut away = Vec::new();
        for replica in 0..self.replicas.len() {
            if self.told(replica).await["standing"] == "away" {
                away.push(replica);
            }
        }
        away
    }

    /// Asks until something is so.
    async fn ask_until(&self, what: &str, mut is_so: impl AsyncFnMut(&Group) -> bool) {
        let started = Instant::now();
        while !is_so(self).await {
            assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
            self.ask(10).await;
        }
    }

    /// How often a replica would have left, and might not, for that reason.
    fn stayed(&self, replica: usize, reason: &str) -> f64 {
        let families = self.replicas[replica].registry.gather();
        let refused = families.iter().filter(|family| family.name() == "petpro_ejections_refused_total");
        let of_reason = refused
            .flat_map(|family| family.get_metric().iter())
            .filter(|metric| metric.get_label().iter().any(|label| label.value() == reason));
        of_reason.map(|metric| metric.get_counter().get_value()).sum()
    }

    async fn end(self) {
        for replica in self.replicas {
            replica.running.drain().await.unwrap();
        }
        drop(self.world);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_fails_by_itself_leaves_and_callers_see_no_failures_any_more() {
    for manner in [Manner::Fails, Manner::Panics] {
        let group = Group::of(3, FOR_LONG).await;
        group.does(0, manner);
        group.ask_until("it is away", async |group| group.away().await == [0]).await;
        // What it had taken before it left is answered now: somebody else's requests come after ours.
        group.ask_until("it takes no more", async |group| group.ask(20).await == 0).await;
        let handled = group.replicas[0].seen.handled.load(Ordering::SeqCst);
        assert_eq!(group.ask(300).await, 0);
        assert_eq!(group.replicas[0].seen.handled.load(Ordering::SeqCst), handled);
        let subject = format!("$SRV.STATS.auth.{}", group.replicas[0].instance);
        let (_, stats) = ask(&group.operator, &subject, &[], b"").await;
        assert_eq!(stats["endpoints"][0]["data"]["standing"], "away", "{stats}");
        group.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_well_again_comes_back() {
    let group = Group::of(3, "[ejection]\naway_ms = 100\nmax_away_ms = 400\n").await;
    group.does(1, Manner::Fails);
    group.ask_until("it is away", async |group| group.away().await == [1]).await;
    group.ask_until("it is back, and fails again", async |group| group.told(1).await["standing"] == "probation").await;
    group.ask_until("it is away again", async |group| group.away().await == [1]).await;
    group.does(1, Manner::Well);
    group.ask_until("it is as before", async |group| group.told(1).await["standing"] == "in_group").await;
    let handled = group.replicas[1].seen.handled.load(Ordering::SeqCst);
    group
        .ask_until("it takes its share", async |group| {
            group.replicas[1].seen.handled.load(Ordering::SeqCst) > handled + 20
        })
        .await;
    assert_eq!(group.ask(100).await, 0);
    group.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_stopped_while_it_is_away_leaves_its_place_to_the_next() {
    let mut group = Group::of(4, FOR_LONG).await;
    group.does(0, Manner::Fails);
    group.ask_until("it is away", async |group| group.away().await == [0]).await;
    group.replicas.remove(0).running.drain().await.unwrap();
    group.does(0, Manner::Fails);
    group.ask_until("the next one is away", async |group| group.away().await == [0]).await;
    group.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_than_a_third_is_away_however_many_fail() {
    for (size, failing, allowed) in [(3, 2, 1), (9, 6, 3)] {
        let group = Group::of(size, FOR_LONG).await;
        (0..failing).for_each(|replica| group.does(replica, Manner::Fails));
        group.ask_until("as many are away as may be", async |group| group.away().await.len() >= allowed).await;
        let away = group.away().await;
        let stays: Vec<usize> = (0..failing).filter(|replica| !away.contains(replica)).collect();
        group
            .ask_until("the others wanted to go more than once", async |group| {
                stays.iter().all(|replica| group.stayed(*replica, "too_few") >= 2.0)
            })
            .await;
        assert_eq!(group.away().await, away);
        assert_eq!(away.len(), allowed);
        group.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_nobody_leaves() {
    let group = Group::of(2, FOR_LONG).await;
    group.does(0, Manner::Fails);
    group.ask_until("it wanted to go", async |group| group.stayed(0, "too_few") >= 2.0).await;
    assert!(group.away().await.is_empty());
    group.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_all_fail_at_drives_nobody_out() {
    let group = Group::of(3, FOR_LONG).await;
    (0..3).for_each(|replica| group.does(replica, Manner::Fails));
    group
        .ask_until("all wanted to go", async |group| (0..3).all(|replica| group.stayed(replica, "all_fail") >= 1.0))
        .await;
    assert!(group.away().await.is_empty());
    group.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_of_another_service_drives_nobody_out() {
    let group = Group::of(3, FOR_LONG).await;
    let setup = Setup::connect(&group.world.host(), "vendor").await.unwrap();
    let vendor = runtime::start(setup, broken(), Broken).await.unwrap();
    group.does(0, Manner::Asks);
    let asked = || group.replicas[0].seen.handled.load(Ordering::SeqCst);
    let mut failed = 0;
    while asked() < 60 {
        failed += group.ask(10).await;
    }
    assert_eq!(failed, asked());
    let told = group.told(0).await;
    assert_eq!((told["failed"].as_str(), told["standing"].as_str()), (Some("0"), Some("in_group")));
    let others: usize = [1, 2].iter().map(|other| group.replicas[*other].seen.handled.load(Ordering::SeqCst)).sum();
    assert!(others > 0);
    vendor.drain().await.unwrap();
    group.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_away_comes_back_when_it_is_needed() {
    let mut group = Group::of(3, FOR_LONG).await;
    group.does(0, Manner::Fails);
    group.ask_until("it is away", async |group| group.away().await == [0]).await;
    group.does(0, Manner::Well);
    group.replicas.pop().unwrap().running.drain().await.unwrap();
    group.ask_until("it is back", async |group| group.away().await.is_empty()).await;
    group.end().await;
}
