//! A share of a service's requests goes to another version of it, and whoever asks notices nothing: not when shares change,
//! and not when nobody of that version is there any more.

use crate::world::{World, ask, edge_declaration};
use bytes::Bytes;
use platform::client::RawCall;
use platform::codec::ContentType;
use platform::runtime::{self, Running};
use platform::setup::Setup;
use platform::{App, Cx, Meta, Service, Traffic, discovery};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use subjects::auth::{JsonWebKeySet, Jwks};
use subjects::{Fault, NoError, Request};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

const PATIENCE: Duration = Duration::from_secs(60);
/// How many ask at a time.
const ASKERS: usize = 8;

/// How many requests are in work at a time: no more than a replica has places for, if all come to it.
const IN_WORK: usize = 8;

/// What a test sees of a replica, and what it has it do.
struct Seen {
    handled: AtomicUsize,
    fails: AtomicBool,
    /// Whether it answers what it has been asked.
    answers: watch::Sender<bool>,
}

struct Replica(Arc<Seen>);

impl App for Replica {
    const NAME: &'static str = "auth";
}
platform::calls!(Replica => []);

async fn jwks(cx: Cx<Replica>, _: Jwks) -> Result<JsonWebKeySet, NoError> {
    let seen = &cx.app.0;
    seen.handled.fetch_add(1, Ordering::SeqCst);
    seen.answers.subscribe().wait_for(|answers| *answers).await.unwrap();
    if seen.fails.load(Ordering::SeqCst) {
        return Err(Fault::internal("on purpose").into());
    }
    Ok(JsonWebKeySet { keys: Vec::new() })
}

fn service() -> Service<Replica> {
    Service::new().on(jwks)
}

struct Member {
    running: Running,
    instance: Arc<str>,
    registry: prometheus::Registry,
    seen: Arc<Seen>,
}

/// Two stable replicas, and one of the version v2.
struct Group {
    world: World,
    edge: Arc<Setup>,
    stable: Vec<Member>,
    v2: Member,
}

impl Group {
    async fn start() -> Group {
        // Nobody who leaves by itself comes back while a test looks.
        let settings = "[ejection]\naway_ms = 600000\nmax_away_ms = 600000\n";
        let world = World::of(&[service().declaration(), edge_declaration()], settings).await;
        let stable = vec![member(&world, "").await, member(&world, "").await];
        let v2 = member(&world, "[traffic]\nversion = 'v2'\n").await;
        let edge = Arc::new(world.edge().await);
        Group { world, edge, stable, v2 }
    }

    /// Gives v2 so many requests in a hundred.
    async fn share(&self, percent: u8) {
        let mut traffic = Traffic::default();
        traffic.set("auth", "v2", percent).unwrap();
        self.world.share_out(&traffic).await;
    }

    /// What the stable replicas and v2 have handled.
    fn handled(&self) -> (usize, usize) {
        let of = |member: &Member| member.seen.handled.load(Ordering::SeqCst);
        (self.stable.iter().map(of).sum(), of(&self.v2))
    }

    /// Asks so often, several at a time, and never again what has had no answer. All has to be well; answers how much of it
    /// the stable replicas and v2 have handled.
    async fn ask(&self, times: usize) -> (usize, usize) {
        let before = self.handled();
        let mut askers = JoinSet::new();
        for _ in 0..ASKERS {
            let edge = self.edge.clone();
            askers.spawn(async move {
                for _ in 0..times / ASKERS {
                    ask_once(&edge).await.unwrap();
                }
            });
        }
        askers.join_all().await;
        let after = self.handled();
        (after.0 - before.0, after.1 - before.1)
    }

    async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let started = Instant::now();
        while !is_so().await {
            assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn end(self) {
        for member in self.stable.into_iter().chain([self.v2]) {
            member.running.drain().await.unwrap();
        }
    }
}

async fn member(world: &World, settings: &str) -> Member {
    let (answers, _) = watch::channel(true);
    let seen = Arc::new(Seen { handled: AtomicUsize::new(0), fails: AtomicBool::new(false), answers });
    let host = world.host_with(settings);
    let setup = Setup::connect(&host, "auth").await.unwrap();
    let instance = setup.instance.clone();
    let running = runtime::start(setup, service(), Replica(seen.clone())).await.unwrap();
    Member { running, instance, registry: host.registry, seen }
}

async fn ask_once(edge: &Setup) -> Result<(), Fault> {
    let meta = Meta::background("test");
    let call = RawCall {
        content_type: ContentType::Json,
        body: Bytes::from_static(b"{}"),
        user_token: None,
        deadline: Instant::now() + Duration::from_secs(10),
        meta: &meta,
    };
    edge.client.request_raw(Jwks::SUBJECT, call).await.map(|_| ())
}

/// A metric's value, of those with a label of that value.
fn counted(registry: &prometheus::Registry, name: &str, label: &str) -> f64 {
    let families = registry.gather();
    let metrics = families.iter().filter(|family| family.name() == name).flat_map(|family| family.get_metric().iter());
    let labelled = metrics.filter(|metric| metric.get_label().iter().any(|one| one.value() == label));
    labelled.map(|metric| metric.get_counter().get_value()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_gets_its_share_and_nothing_without_one() {
    let group = Group::start().await;
    let operator = group.world.operator().await;
    let there = discovery::versions(&operator, "auth", Duration::from_millis(500)).await.unwrap();
    assert_eq!(there, BTreeMap::from([("stable".to_owned(), 2), ("v2".to_owned(), 1)]));
    assert_eq!(group.ask(80).await, (80, 0));
    group.share(10).await;
    let (stable, v2) = group.ask(2_000).await;
    assert_eq!(stable + v2, 2_000, "each is handled once");
    assert!((120..=280).contains(&v2), "{v2} of 2,000");
    group.share(100).await;
    assert_eq!(group.ask(80).await, (0, 80));
    // Whoever asks by other means, and by the other form of the name, is sent there, too.
    let neighbour = group.world.connect("neighbour").await.0;
    let before = group.handled();
    for (client, subject) in [(&operator, "auth.jwks"), (&neighbour, r#"{"cmd":"auth.jwks"}"#)] {
        assert_eq!(ask(client, subject, &[], b"{}").await.0, None, "{subject}");
    }
    assert_eq!(group.handled(), (before.0, before.1 + 2));
    group.share(0).await;
    assert_eq!(group.ask(80).await, (80, 0));
    group.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_shares_change() {
    let group = Group::start().await;
    let (answered, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let mut askers = JoinSet::new();
    for _ in 0..ASKERS {
        let (edge, answered, stop) = (group.edge.clone(), answered.clone(), stop.clone());
        askers.spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                ask_once(&edge).await.unwrap();
                answered.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    for percent in [10, 50, 0, 100, 0, 10, 0] {
        group.share(percent).await;
        let before = answered.load(Ordering::SeqCst);
        group.until("requests are answered", async || answered.load(Ordering::SeqCst) > before + 300).await;
    }
    stop.store(true, Ordering::SeqCst);
    askers.join_all().await;
    let handled = group.handled();
    assert_eq!(handled.0 + handled.1, answered.load(Ordering::SeqCst), "each is handled once");
    assert!(handled.1 > 0);
    group.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_on_their_way_while_shares_change_arrive() {
    let group = Group::start().await;
    group.share(50).await;
    let members = || group.stable.iter().chain([&group.v2]);
    for member in members() {
        member.seen.answers.send_replace(false);
    }
    let mut askers = JoinSet::new();
    for _ in 0..IN_WORK {
        let edge = group.edge.clone();
        askers.spawn(async move { ask_once(&edge).await });
    }
    group.until("all are being handled", async || group.handled().0 + group.handled().1 == IN_WORK).await;
    group.share(10).await;
    for member in members() {
        member.seen.answers.send_replace(true);
    }
    assert!(askers.join_all().await.iter().all(Result::is_ok));
    group.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_version_is_gone_the_stable_replicas_do_its_work_and_may_leave_as_ever() {
    let mut group = Group::start().await;
    group.share(100).await;
    assert_eq!(group.ask(80).await, (0, 80));
    // While nothing comes to the stable replicas by itself.
    group.stable.pop().unwrap().running.drain().await.unwrap();
    let v2 = std::mem::replace(&mut group.v2, member(&group.world, "[traffic]\nversion = 'v3'\n").await);
    let leaving = tokio::spawn(v2.running.drain());
    while !leaving.is_finished() {
        group.ask(80).await;
    }
    leaving.await.unwrap().unwrap();
    assert_eq!(group.ask(80).await, (80, 0));
    assert!(counted(&group.edge.registry, "petpro_versions_not_found_total", "auth") >= 80.0);
    group.share(0).await;
    assert_eq!(group.ask(80).await, (80, 0));
    group.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_fails_by_itself_leaves_and_the_stable_replicas_stand_in() {
    let group = Group::start().await;
    let operator = group.world.operator().await;
    group.share(50).await;
    group.v2.seen.fails.store(true, Ordering::SeqCst);
    let ping = format!("$SRV.PING.auth.{}", group.v2.instance);
    group
        .until("it is away", async || {
            for _ in 0..10 {
                let _it_may_fail_so_far = ask_once(&group.edge).await;
            }
            ask(&operator, &ping, &[], b"").await.1["metadata"]["standing"] == "away"
        })
        .await;
    // What it had taken before it left has been answered when its subscriptions have ended.
    group.until("it takes no more", async || ask_in_a_row(&group.edge, 20).await == 0).await;
    assert_eq!(group.ask(200).await, (200, 0));
    group.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stable_replica_does_not_leave_its_work_to_another_version() {
    let group = Group::start().await;
    group.share(50).await;
    group.stable[0].seen.fails.store(true, Ordering::SeqCst);
    group
        .until("it wanted to go", async || {
            ask_in_a_row(&group.edge, 20).await;
            counted(&group.stable[0].registry, "petpro_ejections_refused_total", "too_few") >= 2.0
        })
        .await;
    assert_eq!(counted(&group.stable[0].registry, "petpro_ejections_total", "auth"), 0.0);
    group.end().await;
}

/// How many of so many have failed.
async fn ask_in_a_row(edge: &Setup, times: usize) -> usize {
    let mut failed = 0;
    for _ in 0..times {
        failed += usize::from(ask_once(edge).await.is_err());
    }
    failed
}
