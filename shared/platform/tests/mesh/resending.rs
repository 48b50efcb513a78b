//! What becomes of a request whose replica dies, falls silent or is full.

use crate::world::World;
use bytes::Bytes;
use platform::client::{Client, RawCall, RawReply};
use platform::codec::ContentType;
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{App, Cx, Meta, Service};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use subjects::auth::{AuthError, JsonWebKeySet, Jwks, Login, Register, Tokens, User};
use subjects::{ErrorCode, Fault, NoError};
use tokio::runtime::Runtime;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// So far away that nothing which waits for it would ever end.
const NEVER: Duration = Duration::from_secs(3_600);

/// What replicas share, as they share a database: the keys under which something was done.
#[derive(Default)]
pub struct Shared {
    stored: Mutex<BTreeSet<String>>,
    effects: Mutex<usize>,
    released: Notify,
    /// The replica of each request, in the order in which handlers began.
    pub runs: watch::Sender<Vec<usize>>,
}

impl Shared {
    /// Notes that a handler has begun, and tells how many there have been, this one included.
    fn run(&self, replica: usize) -> usize {
        self.runs.send_modify(|runs| runs.push(replica));
        self.runs.borrow().len()
    }

    pub async fn until_runs(&self, count: usize) -> Vec<usize> {
        self.runs.subscribe().wait_for(|runs| runs.len() >= count).await.unwrap().clone()
    }
}

/// What a replica does with its requests.
#[derive(Clone, Copy, PartialEq)]
pub enum Manner {
    /// The first of all has its effect and is never answered; later ones find the effect.
    DiesAtTheFirst,
    /// None is ever answered.
    Silent,
    /// The first of all is answered once it is released.
    HeldAtTheFirst,
    /// The first of all is answered once there were three; the others find its key in use.
    SlowAtTheFirst,
}

pub struct Replica {
    number: usize,
    manner: Manner,
    shared: Arc<Shared>,
}

impl App for Replica {
    const NAME: &'static str = "auth";
}
platform::calls!(Replica => []);

impl Replica {
    async fn work(&self, cx: &Cx<Replica>) -> Result<(), Fault> {
        let run = self.shared.run(self.number);
        if let Some(key) = &cx.meta().idempotency_key {
            let is_new = lock(&self.shared.stored).insert(key.clone());
            *lock(&self.shared.effects) += usize::from(is_new);
        }
        match (self.manner, run) {
            (Manner::Silent, _) | (Manner::DiesAtTheFirst, 1) => std::future::pending().await,
            (Manner::HeldAtTheFirst, 1) => {
                self.shared.released.notified().await;
                Ok(())
            }
            (Manner::DiesAtTheFirst | Manner::HeldAtTheFirst, _) => Ok(()),
            (Manner::SlowAtTheFirst, 1) => {
                self.shared.until_runs(3).await;
                Ok(())
            }
            (Manner::SlowAtTheFirst, _) => {
                Err(Fault::new(ErrorCode::Conflict, "at work").with_reason("idempotency_key_in_use"))
            }
        }
    }
}

async fn jwks(cx: Cx<Replica>, _: Jwks) -> Result<JsonWebKeySet, NoError> {
    cx.app.clone().work(&cx).await?;
    Ok(JsonWebKeySet { keys: Vec::new() })
}

async fn register(cx: Cx<Replica>, _: Register) -> Result<User, AuthError> {
    cx.app.clone().work(&cx).await?;
    Err(AuthError::EmailTaken)
}

async fn login(cx: Cx<Replica>, _: Login) -> Result<Tokens, AuthError> {
    cx.app.clone().work(&cx).await?;
    Err(AuthError::InvalidCredentials)
}

pub fn service() -> Service<Replica> {
    Service::new().on(jwks).on(register).on(login)
}

/// A replica on a runtime of its own, which ends as a killed process does: nothing is said any more.
pub struct Process {
    runtime: Option<Runtime>,
    host: Host,
    _running: Running,
}

impl Process {
    pub async fn start(world: &World, number: usize, manner: Manner, shared: &Arc<Shared>) -> Process {
        let (host, replica) = (world.host(), Replica { number, manner, shared: shared.clone() });
        tokio::task::spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
            let running = runtime.block_on(async {
                let setup = Setup::connect(&host, "auth").await.unwrap();
                runtime::start(setup, service(), replica).await.unwrap()
            });
            Process { runtime: Some(runtime), host, _running: running }
        })
        .await
        .unwrap()
    }

    pub fn kill(self) {
        drop(self);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pub async fn ask(client: &Client, subject: &str, key: Option<&str>, timeout: Duration) -> Result<RawReply, Fault> {
    let body = match subject {
        "auth.register" => json!({ "email": "a@example.org", "password": "correct horse 7", "firstName": "A" }),
        "auth.login" => json!({ "email": "a@example.org", "password": "correct horse 7" }),
        _ => json!({}),
    };
    let meta = Meta { idempotency_key: key.map(str::to_owned), ..Meta::background("test") };
    let call = RawCall {
        content_type: ContentType::Json,
        body: Bytes::from(body.to_string()),
        user_token: None,
        deadline: Instant::now() + timeout,
        meta: &meta,
    };
    client.request_raw(subject, call).await
}

#[tokio::test]
async fn a_request_outlives_the_replica_that_worked_on_it_and_its_effect_stays_one() {
    let world = World::start("").await;
    for (subject, key) in [("auth.jwks", None), ("auth.register", Some("key-1"))] {
        let shared = Arc::new(Shared::default());
        let mut replicas = vec![
            Process::start(&world, 0, Manner::DiesAtTheFirst, &shared).await,
            Process::start(&world, 1, Manner::DiesAtTheFirst, &shared).await,
        ];
        let client = world.edge().await.client.resending();
        let asking = tokio::spawn(async move { ask(&client, subject, key, NEVER).await });
        let works = shared.until_runs(1).await[0];
        replicas.remove(works).kill();
        let outcome = asking.await.unwrap();
        match key {
            None => assert_eq!(outcome.unwrap().body, r#"{"keys":[]}"#),
            Some(_) => assert_eq!(outcome.unwrap_err().reason, "email_taken"),
        }
        assert_eq!(*shared.runs.borrow().last().unwrap(), 1 - works);
        assert_eq!(*lock(&shared.effects), usize::from(key.is_some()));
        replicas.remove(0).kill();
    }
}

#[tokio::test]
async fn what_must_not_be_repeated_is_sent_once() {
    let world = World::start("[client]\nresend_after_ms = 50").await;
    let shared = Arc::new(Shared::default());
    let _replica = Process::start(&world, 0, Manner::Silent, &shared).await;
    let inner = world.edge().await.client;
    let edge = inner.resending();
    let timeout = Duration::from_secs(2);
    let outcomes = [
        ask(&edge, "auth.login", Some("key-1"), timeout),
        ask(&edge, "auth.register", None, timeout),
        // A hop that is not the outermost.
        ask(&inner, "auth.jwks", None, timeout),
    ];
    for outcome in futures::future::join_all(outcomes).await {
        assert_eq!(outcome.unwrap_err().code, ErrorCode::DeadlineExceeded);
    }
    assert_eq!(shared.runs.borrow().len(), 3);
    // What may be repeated is, in the same time.
    ask(&edge, "auth.jwks", None, timeout).await.unwrap_err();
    assert_eq!(shared.runs.borrow().len(), 3 + 3);
}

#[tokio::test]
async fn the_budget_stops_a_storm() {
    let settings = "[client]\nresend_after_ms = 20\nresend_percent = 20\nresend_floor = 5\n[dispatcher]\n\
         running = 1000\nrunning_at_first = 1000";
    let world = World::start(settings).await;
    let shared = Arc::new(Shared::default());
    let _replica = Process::start(&world, 0, Manner::Silent, &shared).await;
    let edge = world.edge().await;
    let client = edge.client.resending();
    let asked = (0..100).map(|_| ask(&client, "auth.jwks", None, Duration::from_secs(2)));
    for outcome in futures::future::join_all(asked).await {
        assert_eq!(outcome.unwrap_err().code, ErrorCode::DeadlineExceeded);
    }
    assert_eq!(counted(&edge.registry, "petpro_resends_total", "auth"), 25.0);
    assert_eq!(shared.runs.borrow().len(), 100 + 25);
    assert!(counted(&edge.registry, "petpro_resend_budgets_exhausted_total", "auth") >= 75.0);
}

#[tokio::test]
async fn a_key_in_use_does_not_win_over_the_answer_of_the_one_that_uses_it() {
    let world = World::start("[client]\nresend_after_ms = 20").await;
    let shared = Arc::new(Shared::default());
    let _replica = Process::start(&world, 0, Manner::SlowAtTheFirst, &shared).await;
    let client = world.edge().await.client.resending();
    let outcome = ask(&client, "auth.register", Some("key-1"), NEVER).await;
    assert_eq!(outcome.unwrap_err().reason, "email_taken");
    assert_eq!(shared.runs.borrow().len(), 3);
}

#[tokio::test]
async fn what_a_full_replica_has_refused_is_asked_again() {
    let world = World::start("[dispatcher]\nrunning = 1\nwaiting = 0").await;
    let shared = Arc::new(Shared::default());
    let replica = Process::start(&world, 0, Manner::HeldAtTheFirst, &shared).await;
    let client = world.edge().await.client.resending();
    let takes_the_only_place = tokio::spawn({
        let client = client.clone();
        async move { ask(&client, "auth.login", None, NEVER).await }
    });
    shared.until_runs(1).await;
    let is_refused_at_first = tokio::spawn(async move { ask(&client, "auth.jwks", None, NEVER).await });
    while counted(&replica.host.registry, "petpro_requests_total", "auth.jwks") < 1.0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    shared.released.notify_one();
    assert_eq!(takes_the_only_place.await.unwrap().unwrap_err().reason, "invalid_credentials");
    assert_eq!(is_refused_at_first.await.unwrap().unwrap().body, r#"{"keys":[]}"#);
    assert_eq!(*shared.runs.borrow(), [0, 0]);
}

#[tokio::test]
async fn where_most_is_refused_only_the_first_few_are_asked_again() {
    let world = World::start("[dispatcher]\nrunning = 1\nwaiting = 0").await;
    let shared = Arc::new(Shared::default());
    let _replica = Process::start(&world, 0, Manner::HeldAtTheFirst, &shared).await;
    let edge = world.edge().await;
    let client = edge.client.resending();
    let takes_the_only_place = tokio::spawn({
        let client = client.clone();
        async move { ask(&client, "auth.login", None, NEVER).await }
    });
    shared.until_runs(1).await;
    let asked = (0..100).map(|_| ask(&client, "auth.jwks", None, NEVER));
    for outcome in futures::future::join_all(asked).await {
        assert_eq!(outcome.unwrap_err().code, ErrorCode::Unavailable);
    }
    // Twenty, and one in ten of the hundred.
    assert_eq!(counted(&edge.registry, "petpro_resends_total", "auth"), 30.0);
    shared.released.notify_one();
    takes_the_only_place.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn what_a_lost_connection_may_have_swallowed_is_asked_again_once_it_is_back() {
    let world = World::start("[client]\nresend_after_ms = 60000").await;
    let shared = Arc::new(Shared::default());
    let _replica = Process::start(&world, 0, Manner::DiesAtTheFirst, &shared).await;
    let client = world.edge().await.client.resending();
    let asking = tokio::spawn(async move { ask(&client, "auth.jwks", None, NEVER).await });
    shared.until_runs(1).await;
    world.nats.restart().await.unwrap();
    assert_eq!(asking.await.unwrap().unwrap().body, r#"{"keys":[]}"#);
    assert_eq!(shared.runs.borrow().len(), 2);
}

/// The sum of a counter over the children that carry `label`.
fn counted(registry: &prometheus::Registry, name: &str, label: &str) -> f64 {
    let families = registry.gather();
    let children = families.iter().filter(|family| family.name() == name).flat_map(|family| family.get_metric());
    let labelled = children.filter(|child| child.get_label().iter().any(|pair| pair.value() == label));
    labelled.map(|child| child.get_counter().get_value()).sum()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap()
}
