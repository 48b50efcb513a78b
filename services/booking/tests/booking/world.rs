//! Servers, keys and a migrated database; instances of the service; vendor's events.

use crate::vendor_seat;
use identity::keys::{KeyStore, PROVISION};
use migrations::{SERVICES, ServiceLogin, grants_for_clone, role_name};
use platform::metrics::Metrics;
use platform::nats::{NatsConfig, connect};
use platform::permissions::{permissions, render};
use platform::provision::provision;
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{Declaration, Settings};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use secrecy::ExposeSecret as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use subjects::{Event, event};
use tempfile::TempDir;
use testkit::{Nats, NatsOptions, Postgres};
use tokio::sync::OnceCell;
use uuid::Uuid;

const TEMPLATE: &str = "services";
const ROLE_PREFIX: &str = "petpro";

/// Keys that all tests of this binary share, as they share the Postgres roles whose passwords are among them.
static KEYS: OnceCell<TempDir> = OnceCell::const_new();

pub struct World {
    _nats: Nats,
    settings: String,
    /// The database, seen by its administrator.
    pub admin: DatabaseConnection,
    vendor_events: async_nats::jetstream::Context,
    /// The edge's connection, over which the tests ask.
    pub edge: Arc<Setup>,
}

async fn key_dir() -> PathBuf {
    let keys = KEYS.get_or_init(|| async {
        let dir = tempfile::tempdir().unwrap();
        KeyStore::create_missing(dir.path().join("keys"), &["auth", "profile", "vendor", "booking", "catalog", "edge"])
            .unwrap();
        dir
    });
    keys.await.path().join("keys")
}

/// Calls whatever booking answers.
fn edge_declaration() -> Declaration {
    Declaration {
        name: "edge",
        operations: Vec::new(),
        calls: subjects::booking::OPERATIONS.iter().flat_map(subjects::Operation::subjects).collect(),
        consumers: Vec::new(),
        publishes_events: false,
    }
}

async fn migrated_database(keys: &KeyStore) -> (String, String) {
    let postgres = Postgres::shared().await.unwrap();
    let logins: Vec<ServiceLogin> = SERVICES
        .iter()
        .map(|service| ServiceLogin {
            service: (*service).to_owned(),
            role: role_name(ROLE_PREFIX, service),
            password: keys.postgres_password(service).unwrap().expose_secret().to_owned(),
        })
        .collect();
    let migrate = |admin_url: String| async move { migrations::migrate(&admin_url, &logins).await };
    postgres.template(TEMPLATE, migrate).await.unwrap();
    let database = postgres.clone_database(TEMPLATE, &[]).await.unwrap();
    postgres.execute("postgres", &grants_for_clone(&database, ROLE_PREFIX)).await.unwrap();
    let url = format!("postgres://127.0.0.1:{}/{database}", postgres.port());
    (url, postgres.admin_url(&database))
}

impl World {
    /// Nothing is swept away after the start: what has expired is there until somebody wants its time.
    pub async fn start() -> World {
        World::start_with(50, 3_600_000).await
    }

    /// With these pauses, in milliseconds, between the rounds of those who check bookings again, and of those who sweep
    /// what has expired.
    pub async fn start_with(recheck_interval: u32, expiry_interval: u32) -> World {
        let keys_dir = key_dir().await;
        let keys = KeyStore::open(&keys_dir).unwrap();
        let declarations = [booking::service().declaration(), vendor_seat::service().declaration(), edge_declaration()];
        let accounts = render(&permissions(&declarations), |identity| keys.nats_public_keys()[identity].clone());
        let nats = Nats::start(NatsOptions { accounts, ..NatsOptions::default() }).await.unwrap();
        let (database_url, admin_url) = migrated_database(&keys).await;
        let settings = format!(
            "[nats]\nurl = '{}'\n[keys]\ndir = '{}'\n[postgres]\nurl = '{database_url}'\nmax_connections = 20\n\
             [booking]\nrecheck_interval_ms = {recheck_interval}\nexpiry_interval_ms = {expiry_interval}\n",
            nats.url(),
            keys_dir.display(),
        );

        let nats_config: NatsConfig = Settings::from_toml(&settings).section("nats").unwrap();
        let (provisioner, _) =
            connect(&nats_config, PROVISION, &keys.nats_seed(PROVISION).unwrap(), metrics()).await.unwrap();
        let consumers: Vec<_> = declarations.iter().flat_map(|declaration| declaration.consumers.clone()).collect();
        provision(&async_nats::jetstream::new(provisioner), &nats_config, &consumers).await.unwrap();
        let (vendor, _) = connect(&nats_config, "vendor", &keys.nats_seed("vendor").unwrap(), metrics()).await.unwrap();
        let edge = Setup::connect(&Host::new(Settings::from_toml(&settings)).unwrap(), "edge").await.unwrap();
        World {
            _nats: nats,
            settings,
            admin: Database::connect(admin_url).await.unwrap(),
            vendor_events: async_nats::jetstream::new(vendor),
            edge: Arc::new(edge),
        }
    }

    /// A host of its own, as a process would have.
    pub fn host(&self) -> Host {
        Host::new(Settings::from_toml(&self.settings)).unwrap()
    }

    /// One more instance of the booking service.
    pub async fn run_booking(&self) -> Running {
        let setup = Setup::connect(&self.host(), "booking").await.unwrap();
        let app = booking::app(&setup).await.unwrap();
        runtime::start(setup, booking::service(), app).await.unwrap()
    }

    /// Tells an event as vendor's relay does.
    pub async fn tell<E: Event>(&self, event: &E) {
        let mut headers = async_nats::HeaderMap::new();
        headers.insert("Nats-Msg-Id", Uuid::now_v7().to_string().as_str());
        let subject = event::subject(E::TYPE, event.aggregate_id());
        let body = serde_json::to_vec(event).unwrap();
        let ack = self.vendor_events.publish_with_headers(subject, headers, body.into()).await.unwrap();
        ack.await.unwrap();
    }

    /// A number that a query answers.
    pub async fn number(&self, sql: &str) -> i64 {
        let row = self.admin.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }

    /// A JSON value that a query answers.
    pub async fn json(&self, sql: &str) -> serde_json::Value {
        let row = self.admin.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }

    pub async fn execute(&self, sql: &str) {
        self.admin.execute_unprepared(sql).await.unwrap();
    }

    /// Waits until a query answers a number.
    pub async fn until(&self, sql: &str, expected: i64) {
        let give_up = Instant::now() + Duration::from_secs(30);
        loop {
            let found = self.number(sql).await;
            if found == expected {
                return;
            }
            assert!(Instant::now() < give_up, "still {found} instead of {expected}: {sql}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// How many events of a type booking has told, all of them published.
    pub async fn told(&self, event_type: &str) -> i64 {
        self.until("select count(*) from booking.outbox where published_at is null", 0).await;
        self.number(&format!("select count(*) from booking.outbox where type = '{event_type}'")).await
    }
}

pub fn metrics() -> Metrics {
    Metrics::register(&prometheus::Registry::new()).unwrap()
}
