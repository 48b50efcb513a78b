//! A booking service that hears of the vendor's notes twice: in any order, and in order. What it does with a note is said
//! in its text, and each effect is a row that nothing keeps from being doubled.

use crate::world::{NoteState, PASSWORD, VendorNoted, World};
use async_nats::rustls::pki_types::pem::PemObject as _;
use async_nats::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use async_nats::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use async_nats::{HeaderMap, jetstream};
use identity::keys::{KeyStore, PROVISION};
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{App, Cx, Service, Settings};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use secrecy::ExposeSecret as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use store::{Error, HasStore, PostgresConfig, Store, Told, Tx};
use subjects::{Event as _, Fault, event};
use tokio::runtime::Runtime;
use uuid::Uuid;

const TABLES: [&str; 2] = [
    "create table booking.effects (number bigserial, handler text not null, note_id uuid not null, version bigint not \
     null)",
    "grant all on booking.effects, booking.effects_number_seq to petpro_booking",
];

/// What waits for this lock in a handler is let go by the test.
pub const LOCK: i64 = 42;

pub struct Hearer {
    pub store: Store,
    pub behaviour: Arc<Behaviour>,
}

impl App for Hearer {
    const NAME: &'static str = "booking";
}
platform::calls!(Hearer => []);
impl HasStore for Hearer {
    fn store(&self) -> &Store {
        &self.store
    }
}

/// What all replicas of a test share.
#[derive(Default)]
pub struct Behaviour {
    /// How often a handler was called.
    pub calls: AtomicUsize,
    /// What was refused, broken or away is not so any more.
    pub is_mended: AtomicBool,
}

#[derive(Debug, thiserror::Error)]
#[error("the outer cause")]
struct Outer(#[source] std::io::Error);

pub fn hearer_service() -> Service<Hearer> {
    Service::new()
        .publishes_events()
        .background("relay", store::relay())
        .consume(store::work("hear", hear).attempts(3))
        .consume(store::ordered("hear_in_order", "vendor", "vendor", hear_in_order).attempts(3))
}

async fn hear(app: Arc<Hearer>, tx: Tx, event: VendorNoted) -> Result<(), Fault> {
    effect(&app, &tx, "hear", event.0).await
}

async fn hear_in_order(app: Arc<Hearer>, tx: Tx, told: Told<NoteState>) -> Result<(), Fault> {
    assert_eq!(told.event_type, VendorNoted::TYPE);
    effect(&app, &tx, "hear_in_order", told.body).await
}

async fn effect(app: &Hearer, tx: &Tx, handler: &str, note: NoteState) -> Result<(), Fault> {
    app.behaviour.calls.fetch_add(1, Ordering::SeqCst);
    if note.text == "nothing" {
        return Ok(());
    }
    let is_mended = app.behaviour.is_mended.load(Ordering::SeqCst);
    let run = async |sql: &str, values: Vec<sea_orm::Value>| {
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        tx.execute_raw(statement).await.map_err(Error::from)
    };
    let values = vec![handler.into(), note.note_id.into(), note.version.into()];
    run("insert into effects (handler, note_id, version) values ($1, $2, $3)", values).await?;
    match note.text.as_str() {
        "refuse" if !is_mended => Err(Fault::new(subjects::ErrorCode::Conflict, "refused on purpose")),
        "break" if !is_mended => Err(Fault::internal(Outer(std::io::Error::other("the inner cause")))),
        "panic" if !is_mended => panic!("on purpose"),
        "away" if !is_mended => Err(Fault::unavailable(100)),
        "wait" => run("select pg_advisory_xact_lock($1)", vec![LOCK.into()]).await.map(|_| ()).map_err(Fault::from),
        _ => Ok(()),
    }
}

/// A world with a teller's stream and these handlers.
pub async fn hearing_world() -> World {
    let world = World::with(hearer_service().declaration()).await;
    world.postgres.execute(&world.database, &TABLES.map(str::to_owned)).await.unwrap();
    world
}

/// A replica.
pub struct Replica {
    pub running: Running,
    /// The one that its handlers use.
    pub store: Store,
    /// With which it is asked.
    pub cx: Cx<Hearer>,
}

pub async fn replica(world: &World, behaviour: &Arc<Behaviour>) -> Replica {
    start(world.settings(), world.postgres_config(), behaviour.clone()).await
}

async fn start(settings: Settings, postgres: PostgresConfig, behaviour: Arc<Behaviour>) -> Replica {
    let store = Store::connect(&postgres, "booking", &PASSWORD.into()).await.unwrap();
    let app = || Hearer { store: store.clone(), behaviour: behaviour.clone() };
    let setup = Setup::connect(&Host::new(settings).unwrap(), "booking").await.unwrap();
    let cx = setup.cx(Arc::new(app()), "test", Duration::from_secs(600));
    Replica { running: runtime::start(setup, hearer_service(), app()).await.unwrap(), store, cx }
}

/// A replica that can be killed.
pub struct Mortal {
    runtime: Runtime,
}

impl Mortal {
    pub async fn start(world: &World, behaviour: &Arc<Behaviour>) -> Mortal {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let starting = start(world.settings(), world.postgres_config(), behaviour.clone());
        // It lives on in its tasks.
        runtime.spawn(async { std::mem::forget(starting.await) }).await.unwrap();
        Mortal { runtime }
    }

    /// Ends all that it does where it stands; its connections break.
    pub fn kill(self) {
        self.runtime.shutdown_background();
    }
}

/// Tells notes by hand.
#[derive(Clone)]
pub struct Voice {
    pub jetstream: jetstream::Context,
}

impl Voice {
    pub async fn of(world: &World) -> Voice {
        Voice { jetstream: jetstream::new(world.unbounded_client().await) }
    }

    /// Tells a version of a note, and answers the event's id.
    pub async fn tell(&self, note_id: Uuid, version: i64, text: &str) -> Uuid {
        let event_id = Uuid::now_v7();
        self.tell_as(event_id, note_id, version, text).await;
        event_id
    }

    pub async fn tell_as(&self, event_id: Uuid, note_id: Uuid, version: i64, text: &str) {
        let body = serde_json::to_vec(&NoteState { note_id, version, text: text.to_owned() }).unwrap();
        self.tell_raw(headers_of(event_id, note_id), note_id, body).await;
    }

    pub async fn tell_raw(&self, headers: HeaderMap, note_id: Uuid, body: Vec<u8>) {
        let subject = event::subject(VendorNoted::TYPE, note_id);
        self.jetstream.publish_with_headers(subject, headers, body.into()).await.unwrap().await.unwrap();
    }

    /// Likewise, until JetStream has taken it, however often.
    pub async fn tell_patiently(&self, note_id: Uuid, version: i64, text: &str) {
        let event_id = Uuid::now_v7();
        let body = serde_json::to_vec(&NoteState { note_id, version, text: text.to_owned() }).unwrap();
        let subject = event::subject(VendorNoted::TYPE, note_id);
        let taken = async {
            loop {
                let mut headers = headers_of(event_id, note_id);
                headers.insert("Nats-Msg-Id", event_id.to_string().as_str());
                let sent = self.jetstream.publish_with_headers(subject.clone(), headers, body.clone().into()).await;
                let taken = tokio::time::timeout(Duration::from_secs(2), async { sent.ok()?.await.ok() });
                if matches!(taken.await, Ok(Some(_))) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), taken).await.unwrap();
    }

    /// Bytes that no client of ours would send.
    pub async fn tell_by_hand(&self, world: &World, headers: &[u8], body: &[u8]) {
        let subject = event::subject(VendorNoted::TYPE, Uuid::now_v7());
        let connect = r#"CONNECT {"verbose":false,"headers":true,"user":"unbounded","pass":"unbounded"}"#;
        let total = headers.len() + body.len();
        let mut bytes = format!("{connect}\r\nHPUB {subject} {} {total}\r\n", headers.len()).into_bytes();
        bytes.extend_from_slice(headers);
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(b"\r\nPING\r\n");
        let (config, port) = (by_hand(&world.key_store()), world.nats.port());
        tokio::task::spawn_blocking(move || say(config, port, &bytes)).await.unwrap();
    }

    /// Many at once, each of another note.
    pub async fn tell_many(&self, count: usize, text: &str) -> Vec<Uuid> {
        let mut event_ids = Vec::with_capacity(count);
        let mut under_way = Vec::with_capacity(500);
        for number in 0..count {
            let (event_id, note_id) = (Uuid::now_v7(), Uuid::now_v7());
            let body = serde_json::to_vec(&NoteState { note_id, version: 1, text: text.to_owned() }).unwrap();
            let subject = event::subject(VendorNoted::TYPE, note_id);
            let headers = headers_of(event_id, note_id);
            under_way.push(self.jetstream.publish_with_headers(subject, headers, body.into()).await.unwrap());
            event_ids.push(event_id);
            if under_way.len() == 500 || number + 1 == count {
                for acknowledgement in under_way.drain(..) {
                    acknowledgement.await.unwrap();
                }
            }
        }
        event_ids
    }
}

pub const CORRELATION: &str = "correlation-of-the-test";
pub const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

pub fn headers_of(event_id: Uuid, note_id: Uuid) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("ce-id", event_id.to_string().as_str());
    headers.insert("ce-specversion", "1.0");
    headers.insert("ce-type", VendorNoted::TYPE);
    headers.insert("ce-subject", note_id.to_string().as_str());
    headers.insert("x-correlation-id", CORRELATION);
    headers.insert("traceparent", TRACE);
    headers
}

/// How many effects a handler has had.
pub fn effects(handler: &str) -> String {
    format!("select count(*) from booking.effects where handler = '{handler}'")
}

/// How many effects a handler has had more than once.
pub async fn doubled(world: &World) -> i64 {
    let sql = "select count(*) from (select from booking.effects group by handler, note_id, version having count(*) > 1) \
               as doubled";
    world.number(sql).await
}

/// The versions in the order in which an ordered handler was told of them.
pub async fn order_of(world: &World, note_id: Uuid) -> Vec<i64> {
    let sql = "select version from booking.effects where handler = 'hear_in_order' and note_id = $1 order by number";
    sqlx::query_scalar(sql).bind(note_id).fetch_all(&mut world.admin().await).await.unwrap()
}

/// How many sessions of the service wait for the test's lock.
pub const AT_THE_LOCK: &str = "select count(*) from pg_stat_activity where datname = current_database() \
                               and wait_event_type = 'Lock' and wait_event = 'advisory' and query like '%$1%'";

pub async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(500)).await;
}

/// How a client encrypts that is none of ours.
fn by_hand(keys: &KeyStore) -> ClientConfig {
    let held = keys.nats_certificates(PROVISION).unwrap().remove(0);
    let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(held.key.expose_secret().as_bytes()).unwrap();
    let mut authorities = RootCertStore::empty();
    authorities.add(certificate(&keys.authorities().bundle())).unwrap();
    let config = ClientConfig::builder().with_root_certificates(authorities);
    config.with_client_auth_cert(vec![certificate(&held.certificate)], key).unwrap()
}

/// Says it over an encrypted connection, and waits until it was taken.
fn say(config: ClientConfig, port: u16, bytes: &[u8]) {
    let connection = ClientConnection::new(Arc::new(config), "127.0.0.1".try_into().unwrap()).unwrap();
    let mut socket = StreamOwned::new(connection, TcpStream::connect(("127.0.0.1", port)).unwrap());
    socket.write_all(bytes).unwrap();
    let (mut heard, mut part) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&heard).contains("PONG") {
        let length = socket.read(&mut part).unwrap();
        assert_ne!(length, 0, "{}", String::from_utf8_lossy(&heard));
        heard.extend_from_slice(&part[..length]);
    }
}
