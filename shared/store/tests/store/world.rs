//! Two small services over a table of notes: the vendor service takes notes and tells of them, the booking service
//! hears of them.

use identity::keys::{KeyStore, PROVISION};
use platform::metrics::Metrics;
use platform::nats::{NatsConfig, connect, secured};
use platform::permissions::{permissions, render};
use platform::provision::provision;
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{App, ConsumerDeclaration, Cx, Declaration, Run, Service, Settings};
use schemars::JsonSchema;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::person::PersonKeys;
use store::{Error, HasStore, PostgresConfig, ResultExt as _, Store, Tx};
use subjects::{Access, Effect, Fault, Request, event, service_error};
use tempfile::TempDir;
use testkit::{Leaks, Nats, NatsOptions, Postgres};
use tokio::sync::mpsc;
use uuid::Uuid;

pub const PASSWORD: &str = "test-only";
const PREFIX: &str = "petpro";
const TABLES: [&str; 6] = [
    "create table vendor.notes (id uuid primary key, text text not null, constraint notes_text_key unique (text))",
    "create table booking.heard (note_id uuid not null, text text not null)",
    "create table vendor.person_keys (like booking.person_keys including all)",
    "grant all on vendor.notes to petpro_vendor",
    "grant all on vendor.person_keys to petpro_vendor",
    "grant all on booking.heard to petpro_booking",
];

/// Keeps a note.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, garde::Validate)]
pub struct PutNote {
    /// The note's id.
    #[garde(skip)]
    pub id: Uuid,
    /// What it says.
    #[garde(length(max = 1000))]
    pub text: String,
}

/// A note that was kept. `receipt` is another one each time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Note {
    pub id: Uuid,
    pub receipt: Uuid,
}

service_error! {
    /// What is refused.
    pub enum NoteError {
        /// There is such a note.
        TextTaken = Conflict, "text_taken", "there is such a note";
    }
}

impl Request for PutNote {
    const SUBJECT: &'static str = "note.put";
    const ACCESS: Access = Access::PUBLIC;
    const EFFECT: Effect = Effect::Keyed;
    type Reply = Note;
    type Error = NoteError;
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoteState {
    pub note_id: Uuid,
    pub version: i64,
    pub text: String,
}

subjects::events! {
    service "vendor";
    body NoteState, id note_id, version version;
    /// A note was kept.
    VendorNoted = "vendor.noted";
}

subjects::events! {
    service "booking";
    body NoteState, id note_id, version version;
    /// A note was heard of.
    BookingHeard = "booking.heard";
}

/// A service's state, and where its [`Run`] is handed out.
pub struct Teller {
    pub store: Store,
    runs: mpsc::UnboundedSender<Run<Teller>>,
}

impl App for Teller {
    const NAME: &'static str = "vendor";
}
platform::calls!(Teller => []);
impl HasStore for Teller {
    fn store(&self) -> &Store {
        &self.store
    }
}

pub struct Listener {
    pub store: Store,
    /// How often the handler was called.
    pub calls: Arc<AtomicUsize>,
}

impl App for Listener {
    const NAME: &'static str = "booking";
}
platform::calls!(Listener => []);
impl HasStore for Listener {
    fn store(&self) -> &Store {
        &self.store
    }
}

pub fn teller_service() -> Service<Teller> {
    Service::new().on(put_note).publishes_events().background("relay", store::relay()).background("hand_out", hand_out)
}

pub fn listener_service() -> Service<Listener> {
    Service::new().publishes_events().background("relay", store::relay()).consume(store::work("noted", noted))
}

async fn hand_out(run: Run<Teller>) {
    run.app.runs.send(run.clone()).unwrap();
}

pub async fn put_note(cx: Cx<Teller>, request: PutNote) -> Result<Note, NoteError> {
    let request = &request;
    let cx = &cx;
    let kept = cx.app.store.keyed(cx, request, |tx| async move {
        // Every note is at its first version.
        if let Some(version) = cx.meta().if_match {
            store::expect_version(version, 1)?;
        }
        insert_note(&tx, request.id, &request.text).await?;
        tx.emit(&VendorNoted(NoteState { note_id: request.id, version: 1, text: request.text.clone() })).await?;
        Ok(Note { id: request.id, receipt: Uuid::now_v7() })
    });
    kept.await
}

pub async fn insert_note(tx: &Tx, id: Uuid, text: &str) -> Result<(), NoteError> {
    let sql = "insert into notes (id, text) values ($1, $2)";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [id.into(), text.into()]);
    tx.execute_raw(statement).await.on_constraint("notes_text_key", NoteError::TextTaken)?;
    Ok(())
}

/// Hears of a note. Of a stubborn one it fails the first time, after its effect.
async fn noted(app: Arc<Listener>, tx: Tx, event: VendorNoted) -> Result<(), Fault> {
    let NoteState { note_id, version, text } = event.0;
    let sql = "insert into heard (note_id, text) values ($1, $2)";
    let values = [note_id.into(), text.as_str().into()];
    tx.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await.map_err(Error::from)?;
    tx.emit(&BookingHeard(NoteState { note_id, version, text: text.clone() })).await?;
    if app.calls.fetch_add(1, Ordering::SeqCst) == 0 && text == "stubborn" {
        return Err(Fault::internal("on purpose"));
    }
    Ok(())
}

pub struct World {
    /// First, so that it looks while the rest is there.
    _leaks: Leaks,
    pub nats: Nats,
    pub database: String,
    pub postgres: &'static Postgres,
    consumers: Vec<ConsumerDeclaration>,
    keys: TempDir,
}

/// A running teller.
pub struct RunningTeller {
    pub run: Run<Teller>,
    pub running: Running,
}

impl World {
    pub async fn start() -> World {
        World::with(listener_service().declaration()).await
    }

    /// With another service that listens.
    pub async fn with(listener: Declaration) -> World {
        let (postgres, database) = migrated_database().await;
        postgres.execute(&database, &TABLES.map(str::to_owned)).await.unwrap();
        let keys = tempfile::tempdir().unwrap();
        KeyStore::create_missing(keys.path(), &["auth", "profile", "vendor", "booking", "catalog", "edge"]).unwrap();
        let key_store = KeyStore::open(keys.path()).unwrap();
        let edge = Declaration {
            name: "edge",
            operations: Vec::new(),
            calls: vec![PutNote::SUBJECT],
            consumers: Vec::new(),
            publishes_events: false,
            follows: Vec::new(),
        };
        let consumers = listener.consumers.clone();
        let declarations = [teller_service().declaration(), listener, edge];
        let accounts = render(&permissions(&declarations), |identity| key_store.nats_public_keys()[identity].clone());
        let accounts = accounts.replacen("users = [", "users = [\n    { user: unbounded, password: unbounded }", 1);
        let nats =
            Nats::start(NatsOptions { accounts, tls: Some(key_store.nats_server_dir()), ..NatsOptions::default() })
                .await
                .unwrap();
        let mut leaks = Leaks::new();
        leaks.nats(&nats);
        leaks.postgres(postgres, &database);
        let world = World { _leaks: leaks, nats, database, postgres, consumers, keys };
        world.provision().await;
        world
    }

    /// Makes streams and consumers, as `petpro provision` does.
    pub async fn provision(&self) {
        let client = self.client(PROVISION).await;
        provision(&async_nats::jetstream::new(client), &self.nats_config(), &self.consumers).await.unwrap();
    }

    pub fn key_store(&self) -> KeyStore {
        KeyStore::open(self.keys.path()).unwrap()
    }

    pub async fn client(&self, identity: &str) -> async_nats::Client {
        let metrics = Metrics::register(&prometheus::Registry::new()).unwrap();
        connect(&self.nats_config(), identity, &self.key_store(), metrics).await.unwrap().0
    }

    /// May do what no identity of the platform may.
    pub async fn unbounded_client(&self) -> async_nats::Client {
        let options = async_nats::ConnectOptions::with_user_and_password("unbounded".into(), "unbounded".into());
        secured(options, &self.key_store(), PROVISION).unwrap().connect(self.nats.url()).await.unwrap()
    }

    pub fn nats_config(&self) -> NatsConfig {
        self.settings().section("nats").unwrap()
    }

    pub fn settings(&self) -> Settings {
        let settings = Settings::from_toml("")
            .set("nats.url", self.nats.url())
            .set("keys.dir", self.keys.path())
            .set("keys.allow_plain", true);
        // JetStream sets so much aside for each stream, and there are many servers at a time.
        settings.set("nats.stream_bytes", 64 << 20)
    }

    pub fn postgres_config(&self) -> PostgresConfig {
        let url = format!("postgres://127.0.0.1:{}/{}?sslmode=disable", self.postgres.port(), self.database);
        PostgresConfig { url, role_prefix: PREFIX.to_owned(), ..PostgresConfig::default() }
    }

    pub async fn store(&self, service: &'static str) -> Store {
        Store::connect(&self.postgres_config(), service, &PASSWORD.into()).await.unwrap()
    }

    /// A replica of the vendor service.
    pub async fn teller(&self) -> RunningTeller {
        let (runs, mut handed_out) = mpsc::unbounded_channel();
        let app = Teller { store: self.store("vendor").await, runs };
        let setup = Setup::connect(&Host::new(self.settings()).unwrap(), "vendor").await.unwrap();
        let running = runtime::start(setup, teller_service(), app).await.unwrap();
        RunningTeller { run: handed_out.recv().await.unwrap(), running }
    }

    /// A replica of the booking service, with the number of calls of its handler.
    pub async fn listener(&self) -> (Running, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let app = Listener { store: self.store("booking").await, calls: calls.clone() };
        let setup = Setup::connect(&Host::new(self.settings()).unwrap(), "booking").await.unwrap();
        (runtime::start(setup, listener_service(), app).await.unwrap(), calls)
    }

    /// What a replica of the vendor service keeps of the keys of persons.
    pub async fn person_keys(&self) -> PersonKeys {
        let setup = Setup::connect(&Host::new(self.settings()).unwrap(), "vendor").await.unwrap();
        PersonKeys::open(&setup, &self.store("vendor").await).unwrap()
    }

    pub async fn admin(&self) -> PgConnection {
        PgConnection::connect(&self.postgres.admin_url(&self.database)).await.unwrap()
    }

    /// The number that a query answers, asked as admin.
    pub async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut self.admin().await).await.unwrap()
    }

    pub async fn execute(&self, sql: &str) {
        self.postgres.execute(&self.database, &[sql.to_owned()]).await.unwrap();
    }

    /// Waits until a query answers `wanted`.
    pub async fn until(&self, sql: &str, wanted: i64) {
        self.until_within(sql, wanted, 60).await;
    }

    /// Likewise, for so many seconds.
    pub async fn until_within(&self, sql: &str, wanted: i64, seconds: u64) {
        let patience = tokio::time::timeout(Duration::from_secs(seconds), async {
            while self.number(sql).await != wanted {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        assert!(patience.await.is_ok(), "{sql} did not come to {wanted}, it is {}", self.number(sql).await);
    }

    /// The headers and bodies of all events of a service, as JetStream keeps them.
    pub async fn events(&self, service: &str) -> Vec<(async_nats::HeaderMap, serde_json::Value)> {
        let jetstream = async_nats::jetstream::new(self.client("operator").await);
        let stream = jetstream.get_stream(event::stream_name(service)).await.unwrap();
        let mut events = Vec::new();
        for sequence in 1..=stream.cached_info().state.last_sequence {
            let message = stream.get_raw_message(sequence).await.unwrap();
            events.push((message.headers, serde_json::from_slice(&message.payload).unwrap()));
        }
        events
    }
}

impl RunningTeller {
    /// A context of a request with this idempotency key.
    pub fn cx(&self, key: Option<&str>) -> Cx<Teller> {
        let mut meta = platform::Meta::background(PutNote::SUBJECT);
        meta.idempotency_key = key.map(str::to_owned);
        self.run.cx_for(meta, Duration::from_secs(30))
    }

    pub async fn put(&self, key: Option<&str>, id: Uuid, text: &str) -> Result<Note, NoteError> {
        put_note(self.cx(key), PutNote { id, text: text.to_owned() }).await
    }
}

async fn migrated_database() -> (&'static Postgres, String) {
    let postgres = Postgres::shared().await.unwrap();
    postgres
        .template("store", |admin_url| async move { migrations::migrate(&admin_url, &logins()).await })
        .await
        .unwrap();
    let database = postgres.clone_database("store", &[]).await.unwrap();
    postgres.execute(&database, &migrations::grants_for_clone(&database, PREFIX)).await.unwrap();
    (postgres, database)
}

pub fn logins() -> Vec<migrations::ServiceLogin> {
    let login = |service: &str| migrations::ServiceLogin {
        service: service.to_owned(),
        role: migrations::role_name(PREFIX, service),
        password: PASSWORD.to_owned(),
    };
    migrations::SERVICES.iter().map(|service| login(service)).collect()
}
