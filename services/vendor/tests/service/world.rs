//! A mesh with the vendor service in it, and those who ask it: the edge for users, and the booking service.

use crate::auth_stand_in::{self, AuthStandIn};
use bytes::Bytes;
use futures::StreamExt as _;
use identity::keys::{KeyStore, PROVISION, Purpose};
use identity::{User, UserTokens};
use platform::client::RawCall;
use platform::codec::ContentType;
use platform::metrics::Metrics;
use platform::permissions::{permissions, render};
use platform::provision::provision;
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{Declaration, Meta, Settings};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use subjects::ids::{SessionId, UserId};
use subjects::vendor::OPERATIONS;
use subjects::{Fault, Role};
use testkit::{Nats, NatsOptions, Postgres};

const ROLE_PREFIX: &str = "petpro";
const TEMPLATE: &str = "vendor_service";
/// How long anything may take that happens beside the requests.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct World {
    pub auth: AuthStandIn,
    database: DatabaseConnection,
    edge: Setup,
    booking: Setup,
    /// A second instance that takes no requests: for work outside of them.
    vendor: Setup,
    operator: async_nats::Client,
    _nats: Nats,
    _running: [Running; 2],
}

/// Who asks.
#[derive(Debug, Clone)]
pub enum Asker {
    Nobody,
    User(User),
    Booking,
}

/// Somebody with these roles.
pub fn user(roles: &[Role]) -> Asker {
    Asker::User(User { id: UserId::new(), session: SessionId::new(), roles: roles.to_vec() })
}

pub fn customer() -> Asker {
    user(&[Role::Customer])
}

pub fn platform_admin() -> Asker {
    user(&[Role::PlatformAdmin])
}

impl Asker {
    pub fn id(&self) -> UserId {
        match self {
            Asker::User(user) => user.id,
            other => panic!("{other:?} is no user"),
        }
    }
}

/// One request, as it is put together.
pub struct Ask<'a> {
    world: &'a World,
    subject: String,
    body: Value,
    asker: Asker,
    meta: Meta,
}

impl World {
    pub async fn start() -> World {
        let keys_folder = keys_folder();
        let keys = KeyStore::open(&keys_folder).unwrap();
        let nats = Nats::start(NatsOptions { accounts: accounts(&keys), ..NatsOptions::default() }).await.unwrap();
        let postgres = Postgres::shared().await.unwrap();
        let database_name = database(postgres, &keys).await;
        let settings = Settings::from_toml(&format!(
            "[nats]\nurl = '{}'\n[keys]\ndir = '{}'\n[postgres]\nurl = 'postgres://127.0.0.1:{}/{database_name}'\n\
             role_prefix = '{ROLE_PREFIX}'\nmax_connections = 8\n",
            nats.url(),
            keys_folder.display(),
            postgres.port(),
        ));
        let nats_config = settings.section("nats").unwrap();
        let connect_as = async |identity: &'static str| {
            let metrics = Metrics::register(&prometheus::Registry::new()).unwrap();
            platform::nats::connect(&nats_config, identity, &keys.nats_seed(identity).unwrap(), metrics)
                .await
                .unwrap()
                .0
        };
        let jetstream = async_nats::jetstream::new(connect_as(PROVISION).await);
        provision(&jetstream, &nats_config, &[]).await.unwrap();
        let operator = connect_as("operator").await;

        let setup = async |name| Setup::connect(&Host::new(settings.clone()).unwrap(), name).await.unwrap();
        let auth = AuthStandIn::default();
        let auth_running = runtime::start(setup("auth").await, auth_stand_in::service(), auth.clone()).await.unwrap();
        let vendor_setup = setup("vendor").await;
        let app = vendor::app(&vendor_setup).await.unwrap();
        let vendor_running = runtime::start(vendor_setup, vendor::service(), app).await.unwrap();
        let password = keys.postgres_password("vendor").unwrap();
        let role = migrations::role_name(ROLE_PREFIX, "vendor");
        World {
            auth,
            database: schema_vendor(postgres.url(&role, password.expose_secret(), &database_name)).await,
            edge: setup("edge").await,
            booking: setup("booking").await,
            vendor: setup("vendor").await,
            operator,
            _nats: nats,
            _running: [auth_running, vendor_running],
        }
    }

    /// A request of nobody in particular, through the edge.
    pub fn ask(&self, subject: &str, body: Value) -> Ask<'_> {
        let (subject, asker) = (subject.to_owned(), Asker::Nobody);
        Ask { world: self, subject, body, asker, meta: Meta::background("test") }
    }

    /// A context for work of the vendor service itself.
    pub async fn own_cx(&self) -> vendor::Cx {
        let app = Arc::new(vendor::app(&self.vendor).await.unwrap());
        self.vendor.cx(app, "test", PATIENCE)
    }

    /// Runs SQL in the schema `vendor` and answers how many rows it touched.
    pub async fn execute(&self, sql: &str) -> u64 {
        self.database.execute_unprepared(sql).await.unwrap().rows_affected()
    }

    /// The one text that a query gives.
    pub async fn query(&self, sql: &str) -> String {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let row = self.database.query_one_raw(statement).await.unwrap().unwrap();
        row.try_get_by_index::<Option<String>>(0).unwrap().unwrap_or_default()
    }

    /// Waits until a query gives a text.
    async fn until_query(&self, sql: &str, expected: &str) {
        let as_expected = async {
            while self.query(sql).await != expected {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, as_expected)
            .await
            .unwrap_or_else(|_| panic!("{sql} does not become {expected}"));
    }

    /// Every row of the schema's own tables, as one text.
    pub async fn all_rows(&self) -> String {
        let tables = "select string_agg(format('select %L || t::text as t from %I as t', table_name, table_name), \
                      ' union all ') from information_schema.tables where table_schema = 'vendor'";
        let of_each_table = self.query(tables).await;
        self.query(&format!("select string_agg(t, E'\\n' order by t) from ({of_each_table}) as rows")).await
    }

    /// Every row but those of the outbox, where the relay writes on its own, and how many of these there are.
    pub async fn own_rows(&self) -> String {
        let rows = self.all_rows().await;
        let (events, own): (Vec<&str>, Vec<&str>) = rows.lines().partition(|row| row.starts_with("outbox"));
        format!("{} events\n{}", events.len(), own.join("\n"))
    }

    /// Listens to the events of what is written from now on: those of before are published first.
    pub async fn listen(&self) -> Events {
        self.until_query("select count(*)::text from outbox where published_at is null", "0").await;
        let subscriber = self.operator.subscribe("event.>").await.unwrap();
        self.operator.flush().await.unwrap();
        Events { subscriber, passed_over: Vec::new() }
    }
}

impl Ask<'_> {
    pub fn by(mut self, asker: &Asker) -> Self {
        self.asker = asker.clone();
        self
    }

    pub fn under_key(mut self, key: &str) -> Self {
        self.meta.idempotency_key = Some(key.to_owned());
        self
    }

    pub fn based_on(mut self, version: i64) -> Self {
        self.meta.if_match = Some(version);
        self
    }

    pub async fn send(self) -> Result<Value, Fault> {
        let caller = if matches!(self.asker, Asker::Booking) { &self.world.booking } else { &self.world.edge };
        let user_token = match &self.asker {
            Asker::User(user) => {
                let key = caller.keys.signing_key("edge", Purpose::User).unwrap();
                Some(UserTokens::new(key).issue(user, chrono::Utc::now()).into())
            }
            Asker::Nobody | Asker::Booking => None,
        };
        let call = RawCall {
            content_type: ContentType::Json,
            body: Bytes::from(self.body.to_string()),
            user_token,
            deadline: tokio::time::Instant::now() + PATIENCE,
            meta: &self.meta,
        };
        let reply = caller.client.request_raw(&self.subject, call).await?;
        Ok(serde_json::from_slice(&reply.body).unwrap())
    }

    pub async fn ok(self) -> Value {
        let subject = self.subject.clone();
        self.send().await.unwrap_or_else(|fault| panic!("{subject}: {fault} {:?}", fault.violations))
    }

    /// The reason of the refusal.
    pub async fn refusal(self) -> String {
        let subject = self.subject.clone();
        match self.send().await {
            Ok(reply) => panic!("{subject} was not refused: {reply}"),
            Err(fault) => fault.reason.into_owned(),
        }
    }
}

/// Durable events as they are published. Those of different aggregates may come in any order.
pub struct Events {
    subscriber: async_nats::Subscriber,
    passed_over: Vec<async_nats::Message>,
}

impl Events {
    /// The next event of a type.
    pub async fn next(&mut self, event_type: &str) -> Value {
        let prefix = format!("event.{event_type}.");
        if let Some(place) = self.passed_over.iter().position(|message| message.subject.starts_with(&prefix)) {
            return serde_json::from_slice(&self.passed_over.remove(place).payload).unwrap();
        }
        let wanted = async {
            loop {
                let message = self.subscriber.next().await.unwrap();
                if message.subject.starts_with(&prefix) {
                    return serde_json::from_slice(&message.payload).unwrap();
                }
                self.passed_over.push(message);
            }
        };
        tokio::time::timeout(PATIENCE, wanted).await.unwrap_or_else(|_| panic!("no {event_type}"))
    }
}

/// Roles belong to the Postgres server that the tests share, so they share the passwords too.
fn keys_folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("vendor-service-keys");
    static MADE: std::sync::Once = std::sync::Once::new();
    MADE.call_once(|| {
        KeyStore::create_missing(&folder, &["auth", "profile", "vendor", "booking", "catalog", "edge"]).unwrap();
    });
    folder
}

fn accounts(keys: &KeyStore) -> String {
    let caller = |name, calls| {
        let (operations, consumers) = (Vec::new(), Vec::new());
        Declaration { name, operations, calls, consumers, publishes_events: false }
    };
    let routed = OPERATIONS.iter().filter(|operation| !operation.rest.is_empty());
    let internal = OPERATIONS.iter().filter(|operation| operation.rest.is_empty());
    let declarations = [
        vendor::service().declaration(),
        auth_stand_in::service().declaration(),
        caller("edge", routed.flat_map(subjects::Operation::subjects).collect()),
        caller("booking", internal.flat_map(subjects::Operation::subjects).collect()),
    ];
    render(&permissions(&declarations), |identity| keys.nats_public_keys()[identity].clone())
}

async fn database(postgres: &Postgres, keys: &KeyStore) -> String {
    let role = migrations::role_name(ROLE_PREFIX, "vendor");
    let password = keys.postgres_password("vendor").unwrap().expose_secret().to_owned();
    let logins = [migrations::ServiceLogin { service: "vendor".to_owned(), role: role.clone(), password }];
    let migrated =
        postgres.template(TEMPLATE, |admin_url| async move { migrations::migrate(&admin_url, &logins).await });
    migrated.await.unwrap();
    let grants = [format!("grant connect on database {{database}} to {role}")];
    postgres.clone_database(TEMPLATE, &grants).await.unwrap()
}

async fn schema_vendor(url: String) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(2).map_sqlx_postgres_opts(|postgres| postgres.options([("search_path", "vendor,ext")]));
    Database::connect(options).await.unwrap()
}
