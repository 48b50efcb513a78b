//! A mesh with the auth service in it, and the two callers that it knows: the edge and the vendor service.

use bytes::Bytes;
use futures::StreamExt as _;
use identity::keys::{KeyStore, PROVISION, Purpose};
use identity::{UserTokens, Verifier};
use platform::client::RawCall;
use platform::codec::ContentType;
use platform::metrics::Metrics;
use platform::nats::connect;
use platform::permissions::{permissions, render};
use platform::provision::provision;
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{Declaration, Meta, Settings};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use subjects::Fault;
use subjects::auth::OPERATIONS;
use testkit::{Nats, NatsOptions, Postgres};

const ROLE_PREFIX: &str = "petpro";
const TEMPLATE: &str = "auth_service";
/// How long anything may take that happens beside the requests: the relay, a sweep.
const PATIENCE: Duration = Duration::from_secs(20);

/// A password that nobody tries.
pub const PASSWORD: &str = "kucing tidur di atas lemari";

pub struct World {
    database: DatabaseConnection,
    database_name: String,
    edge: Setup,
    vendor: Setup,
    operator: async_nats::Client,
    _auth: Running,
    // Last, so that it is there for as long as the others are.
    _nats: Nats,
}

/// What a signed-in client holds, in JSON.
#[derive(Clone)]
pub struct SignedIn(pub Value);

impl SignedIn {
    pub fn access_token(&self) -> &str {
        self.0["accessToken"].as_str().unwrap()
    }

    pub fn refresh_token(&self) -> &str {
        self.0["refreshToken"].as_str().unwrap()
    }

    pub fn user(&self) -> &Value {
        &self.0["user"]
    }
}

/// One request, as it is put together.
pub struct Ask<'a> {
    world: &'a World,
    subject: &'a str,
    body: Value,
    signed_in: Option<SignedIn>,
    by_vendor: bool,
    meta: Meta,
}

impl World {
    pub async fn start(auth_settings: &str) -> World {
        let keys_folder = keys_folder();
        let keys = KeyStore::open(&keys_folder).unwrap();
        let nats = Nats::start(NatsOptions { accounts: accounts(&keys), ..NatsOptions::default() }).await.unwrap();
        let postgres = Postgres::shared().await.unwrap();
        let database_name = database(postgres, &keys).await;
        let settings = Settings::from_toml(&format!(
            "[nats]\nurl = '{}'\n[keys]\ndir = '{}'\n[postgres]\nurl = 'postgres://127.0.0.1:{}/{database_name}'\n\
             role_prefix = '{ROLE_PREFIX}'\nmax_connections = 8\n[auth]\n{auth_settings}",
            nats.url(),
            keys_folder.display(),
            postgres.port(),
        ));
        let nats_config = settings.section("nats").unwrap();
        let connect_as = async |identity: &'static str| {
            let metrics = Metrics::register(&prometheus::Registry::new()).unwrap();
            connect(&nats_config, identity, &keys.nats_seed(identity).unwrap(), metrics).await.unwrap().0
        };
        let jetstream = async_nats::jetstream::new(connect_as(PROVISION).await);
        provision(&jetstream, &nats_config, &[]).await.unwrap();
        let operator = connect_as("operator").await;

        let host = || Host::new(settings.clone()).unwrap();
        let setup = Setup::connect(&host(), "auth").await.unwrap();
        let app = auth::app(&setup).await.unwrap();
        let auth = runtime::start(setup, auth::service(), app).await.unwrap();
        let password = keys.postgres_password("auth").unwrap();
        let role = migrations::role_name(ROLE_PREFIX, "auth");
        World {
            database: schema_auth(postgres.url(&role, password.expose_secret(), &database_name)).await,
            database_name,
            edge: Setup::connect(&host(), "edge").await.unwrap(),
            vendor: Setup::connect(&host(), "vendor").await.unwrap(),
            operator,
            _auth: auth,
            _nats: nats,
        }
    }

    /// A request of nobody in particular, through the edge.
    pub fn ask<'a>(&'a self, subject: &'a str, body: Value) -> Ask<'a> {
        Ask { world: self, subject, body, signed_in: None, by_vendor: false, meta: Meta::background("test") }
    }

    /// Registers an account and answers it.
    pub async fn register(&self, email: &str) -> Value {
        let body = json!({ "email": email, "password": PASSWORD, "firstName": "Sari", "lastName": "Dewi" });
        self.ask("auth.register", body).ok().await
    }

    /// Signs in with the usual password.
    pub async fn sign_in(&self, email: &str) -> SignedIn {
        SignedIn(self.ask("auth.login", json!({ "email": email, "password": PASSWORD })).ok().await)
    }

    /// Registers an account and signs in.
    pub async fn newcomer(&self, email: &str) -> SignedIn {
        self.register(email).await;
        self.sign_in(email).await
    }

    /// Somebody who runs the platform, signed in.
    pub async fn admin(&self) -> SignedIn {
        let wanted = auth::SeedUser {
            id: None,
            email: "admin@example.com".to_owned(),
            password: subjects::auth::NewPassword::new(PASSWORD),
            first_name: "Admin".to_owned(),
            last_name: None,
            roles: vec![subjects::Role::PlatformAdmin],
        };
        let passwords = auth::Passwords::new(1).unwrap();
        auth::ensure_user(&self.database, &passwords, wanted).await.unwrap();
        self.sign_in("admin@example.com").await
    }

    /// Runs SQL in the schema `auth` and answers how many rows it touched.
    pub async fn execute(&self, sql: &str) -> u64 {
        self.database.execute_unprepared(sql).await.unwrap().rows_affected()
    }

    /// Runs SQL that the service's own role may not.
    pub async fn execute_as_admin(&self, sql: &str) {
        let postgres = Postgres::shared().await.unwrap();
        postgres.execute(&self.database_name, &[sql.to_owned()]).await.unwrap();
    }

    /// The one text that a query gives.
    pub async fn query(&self, sql: &str) -> Option<String> {
        let statement = Statement::from_string(DbBackend::Postgres, sql);
        let row = self.database.query_one_raw(statement).await.unwrap()?;
        row.try_get_by_index::<Option<String>>(0).unwrap()
    }

    /// Everything that is written in the schema, as one text.
    pub async fn all_that_is_stored(&self) -> String {
        let tables = "select string_agg(format('select t::text from %I as t', table_name), ' union all ') \
                      from information_schema.tables where table_schema = 'auth'";
        let of_each_table = self.query(tables).await.unwrap();
        self.query(&format!("select string_agg(t, E'\\n') from ({of_each_table}) as rows")).await.unwrap()
    }

    /// Listens to the events of what is written from now on: those of before are published first.
    pub async fn listen(&self) -> Events {
        self.until_query("select count(*)::text from outbox where published_at is null", "0").await;
        let subscriber = self.operator.subscribe("event.>").await.unwrap();
        self.operator.flush().await.unwrap();
        Events { subscriber, passed_over: Vec::new() }
    }

    /// Waits until a token is refused because its session has ended.
    pub async fn until_signed_out(&self, signed_in: &SignedIn) {
        let refused = async {
            loop {
                let outcome = self.ask("auth.me", json!({})).by(signed_in).send().await;
                match outcome {
                    Err(fault) if fault.reason == "session_revoked" => return,
                    Err(fault) => panic!("{fault}"),
                    Ok(_) => tokio::task::yield_now().await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, refused).await.expect("the session goes on");
    }

    /// Waits until a query gives a text.
    pub async fn until_query(&self, sql: &str, expected: &str) {
        let as_expected = async {
            while self.query(sql).await.as_deref() != Some(expected) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, as_expected).await.expect("the row stays as it was");
    }
}

impl Ask<'_> {
    /// The request of a user: the edge makes a user token of the access token, as it does for real.
    pub fn by(mut self, signed_in: &SignedIn) -> Self {
        self.signed_in = Some(signed_in.clone());
        self
    }

    /// The request of the vendor service.
    pub fn by_vendor(mut self) -> Self {
        self.by_vendor = true;
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
        let caller = if self.by_vendor { &self.world.vendor } else { &self.world.edge };
        let user_token = self.signed_in.map(|signed_in| {
            let user = Verifier::new(caller.keys.registry(), "edge").verify_access(signed_in.access_token()).unwrap();
            let key = caller.keys.signing_key("edge", Purpose::User).unwrap();
            UserTokens::new(key).issue(&user, chrono::Utc::now()).into()
        });
        let call = RawCall {
            content_type: ContentType::Json,
            body: Bytes::from(self.body.to_string()),
            user_token,
            deadline: tokio::time::Instant::now() + PATIENCE,
            meta: &self.meta,
        };
        let reply = caller.client.request_raw(self.subject, call).await?;
        Ok(serde_json::from_slice(&reply.body).unwrap())
    }

    pub async fn ok(self) -> Value {
        let subject = self.subject.to_owned();
        self.send().await.unwrap_or_else(|fault| panic!("{subject}: {fault} {:?}", fault.violations))
    }

    /// The reason of the refusal.
    pub async fn refusal(self) -> String {
        let subject = self.subject.to_owned();
        match self.send().await {
            Ok(reply) => panic!("{subject} was not refused: {reply}"),
            Err(fault) => fault.reason.into_owned(),
        }
    }
}

/// Durable events as they are published.
pub struct Events {
    subscriber: async_nats::Subscriber,
    /// Events of different aggregates may come in any order.
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
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("auth-service-keys");
    static MADE: std::sync::Once = std::sync::Once::new();
    MADE.call_once(|| {
        KeyStore::create_missing(&folder, &["auth", "profile", "vendor", "booking", "catalog", "edge"]).unwrap();
    });
    folder
}

fn accounts(keys: &KeyStore) -> String {
    let (routed, internal): (Vec<_>, Vec<_>) = OPERATIONS.iter().partition(|operation| !operation.rest.is_empty());
    let calls = |operations: Vec<&subjects::Operation>| operations.iter().map(|operation| operation.subject).collect();
    let caller = |name, calls| Declaration {
        name,
        operations: Vec::new(),
        calls,
        consumers: Vec::new(),
        publishes_events: false,
    };
    let vendor_calls = internal.into_iter().chain(routed.iter().copied()).collect();
    let declarations =
        [auth::service().declaration(), caller("edge", calls(routed)), caller("vendor", calls(vendor_calls))];
    render(&permissions(&declarations), |identity| keys.nats_public_keys()[identity].clone())
}

async fn database(postgres: &Postgres, keys: &KeyStore) -> String {
    let logins: Vec<_> = ["auth"]
        .into_iter()
        .map(|service| migrations::ServiceLogin {
            service: service.to_owned(),
            role: migrations::role_name(ROLE_PREFIX, service),
            password: keys.postgres_password(service).unwrap().expose_secret().to_owned(),
        })
        .collect();
    let migrated =
        postgres.template(TEMPLATE, |admin_url| async move { migrations::migrate(&admin_url, &logins).await });
    migrated.await.unwrap();
    let role = migrations::role_name(ROLE_PREFIX, "auth");
    let grants = [format!("grant connect on database {{database}} to {role}")];
    postgres.clone_database(TEMPLATE, &grants).await.unwrap()
}

async fn schema_auth(url: String) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(2).map_sqlx_postgres_opts(|postgres| postgres.options([("search_path", "auth,ext")]));
    Database::connect(options).await.unwrap()
}
