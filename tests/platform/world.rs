//! A platform of its own for a test: servers, keys, demo data, services as processes.

use petpro::commands::seed;
use petpro::demo_users;
use petpro::stack::{Stack, StackOptions};
use platform::Settings;
use platform::setup::Host;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testkit::{Durability, Leaks, Process, free_port, personal};

/// How long anything may take before the test gives up.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How many products the demo's vendors have here.
const PRODUCTS: usize = 200;

/// A running platform.
pub struct World {
    /// First, so that it looks while the rest is there.
    leaks: Leaks,
    pub stack: Stack,
    pub http: reqwest::Client,
    pub folder: TempDir,
    provision: Process,
    variables: BTreeMap<String, String>,
    /// Every service process that was started, by the name that the test gave it.
    pub services: BTreeMap<String, ServiceProcess>,
}

/// One `petpro run …`.
pub struct ServiceProcess {
    process: Process,
    edge: String,
    /// None named: all.
    services: Vec<String>,
}

impl ServiceProcess {
    fn runs(&self, service: &str) -> bool {
        self.services.is_empty() || self.services.iter().any(|name| name == service)
    }
}

impl World {
    /// Servers, demo data, and one process with all services, called `all`.
    pub async fn start() -> World {
        let mut world = World::without_services().await;
        world.run("all", &[]).await;
        world.until_heard().await;
        world
    }

    /// Servers and demo data.
    pub async fn without_services() -> World {
        let folder = tempfile::Builder::new().prefix("petpro-test-").tempdir().unwrap();
        let options = StackOptions {
            folder: folder.path().to_owned(),
            durability: Durability::ThrowAway,
            first_port: None,
            given: BTreeMap::new(),
        };
        let stack = Stack::start(options).await.unwrap();
        let mut leaks = Leaks::new();
        leaks.folder(folder.path());
        leaks.database(stack.admin_url());
        // Of those of the demo data, too.
        personal::secret(demo_users::PASSWORD);
        let once = spawn(&stack, &folder, &["provision", "--once"], &BTreeMap::new());
        assert_eq!(once.exited().await.unwrap(), 0, "streams and consumers could not be made");
        let provision = spawn(&stack, &folder, &["provision"], &BTreeMap::new());
        let host = Host::new(stack.settings(Settings::from_toml(""))).unwrap();
        seed::seed(&host).await.unwrap();
        seed::products(&host, PRODUCTS).await.unwrap();
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        World { leaks, stack, http, folder, provision, variables: BTreeMap::new(), services: BTreeMap::new() }
    }

    /// Sets a variable for every process that is started from now on.
    pub fn set(&mut self, variable: &str, value: &str) {
        self.variables.insert(variable.to_owned(), value.to_owned());
    }

    /// Starts `petpro run <services>` and waits until it is ready.
    pub async fn run(&mut self, name: &str, services: &[&str]) {
        let (admin, edge) = (address(), address());
        // Tests ask more often than a customer does.
        let mut variables = BTreeMap::from([
            ("PETPRO_EDGE__LIMITS_PROFILE".to_owned(), "wide".to_owned()),
            // Bursts on a busy machine are wanted here.
            ("PETPRO_EDGE__SHEDDING__TIMES_SLOWER".to_owned(), "1000000.0".to_owned()),
            ("PETPRO_DISPATCHER__STANDING_MS".to_owned(), "60000".to_owned()),
        ]);
        variables.extend(self.variables.clone());
        variables.insert("PETPRO_ADMIN__LISTEN".to_owned(), admin.clone());
        variables.insert("PETPRO_EDGE__LISTEN".to_owned(), edge.clone());
        let arguments: Vec<&str> = std::iter::once("run").chain(services.iter().copied()).collect();
        let process = spawn(&self.stack, &self.folder, &arguments, &variables);
        let started = Instant::now();
        let ready = format!("http://{admin}/health/ready");
        while !self.http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(started.elapsed() < PATIENCE, "{name} does not become ready:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let services = services.iter().map(|service| (*service).to_owned()).collect();
        self.services.insert(name.to_owned(), ServiceProcess { process, edge, services });
    }

    /// Waits until the services that run have heard of all events of each other.
    pub async fn until_heard(&self) {
        let runs = |service: &str| self.services.values().any(|process| process.runs(service));
        let mut consumers = petpro::services::consumers();
        consumers.retain(|consumer| runs(consumer.service) && runs(consumer.source));
        self.stack.until_heard(&consumers, PATIENCE).await.unwrap();
    }

    /// Kill -9 of a process of that name.
    pub async fn kill(&mut self, name: &str) {
        self.services.remove(name).unwrap().process.kill().await.unwrap();
    }

    /// SIGTERM of a process of that name; it must end well.
    pub async fn terminate(&mut self, name: &str) {
        assert_eq!(self.services.remove(name).unwrap().process.terminate().await.unwrap(), 0, "{}", self.log());
    }

    /// What the processes have logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("services.log")).unwrap_or_default()
    }

    /// The address of the edge: of the process `all`, or of the one called `edge`.
    pub fn url(&self, path: &str) -> String {
        self.url_at(if self.services.contains_key("all") { "all" } else { "edge" }, path)
    }

    /// The address of the edge in the process of that name.
    pub fn url_at(&self, name: &str, path: &str) -> String {
        format!("http://{}/api/v1{path}", self.services[name].edge)
    }

    /// Asks over HTTP; the answer is (status, body).
    pub async fn ask(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method.clone(), self.url(path));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let asked = answer.url().path().to_owned();
        let text = answer.text().await.unwrap();
        crate::documented::check(&method, &asked, status, &headers, text.as_bytes());
        if status >= 400 {
            testkit::check_refusal(path, &text);
        }
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Likewise; the status must be as expected.
    pub async fn expect(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
        expected: StatusCode,
    ) -> Value {
        let (status, body) = self.ask(method.clone(), path, token, body).await;
        assert_eq!(status, expected.as_u16(), "{method} {path}: {body}\n{}", self.log());
        body
    }

    /// An access token of someone of the demo data.
    pub async fn sign_in(&self, email: &str) -> String {
        self.sign_in_with(email, demo_users::PASSWORD).await
    }

    /// An access token.
    pub async fn sign_in_with(&self, email: &str, password: &str) -> String {
        let login = json!({ "email": email, "password": password });
        let tokens = self.expect(Method::POST, "/auth/login", None, Some(login), StatusCode::OK).await;
        tokens["accessToken"].as_str().unwrap().to_owned()
    }

    /// A service of a demo clinic and its first free slot with one staff member, from tomorrow on.
    pub async fn free_slot(&self) -> Slot {
        self.free_slots(1).await.remove(0)
    }

    /// Several free slots of one service.
    pub async fn free_slots(&self, count: usize) -> Vec<Slot> {
        self.until_heard().await;
        let services = self.expect(Method::GET, "/services?limit=100", None, None, StatusCode::OK).await;
        let tomorrow = chrono::Utc::now().date_naive() + chrono::Days::new(1);
        let last = tomorrow + chrono::Days::new(20);
        for service in services["items"].as_array().unwrap() {
            let id = service["id"].as_str().unwrap();
            let path = format!("/bookings/availability?serviceId={id}&from={tomorrow}&to={last}&limit=500");
            let free = self.expect(Method::GET, &path, None, None, StatusCode::OK).await;
            let slots = free["items"].as_array().unwrap();
            if service["capacity"] == 1 && slots.len() >= count {
                return slots.iter().map(|slot| Slot::of(service, slot)).take(count).collect();
            }
        }
        panic!("no demo service has {count} free slots: {services}");
    }

    /// Waits until something is so.
    pub async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let started = Instant::now();
        while !is_so().await {
            assert!(started.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until a statement that is like this waits for a lock.
    pub async fn until_somebody_waits(&self, statement: &str) {
        let query = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query ilike $1";
        self.until("a statement waits for the lock", async || {
            let mut database = self.database().await;
            let waiting: i64 = sqlx::query_scalar(query).bind(statement).fetch_one(&mut database).await.unwrap();
            waiting > 0
        })
        .await;
    }

    /// A connection to the database as its admin.
    pub async fn database(&self) -> sqlx::PgConnection {
        use sqlx::Connection as _;
        sqlx::PgConnection::connect(self.stack.admin_url()).await.unwrap()
    }

    /// The first number that a query answers.
    pub async fn count(&self, query: &'static str) -> i64 {
        sqlx::query_scalar(query).fetch_one(&mut self.database().await).await.unwrap()
    }

    /// A NATS connection as the operator.
    pub async fn operator(&self) -> async_nats::Client {
        self.connect("operator").await.0
    }

    /// A NATS connection as any identity, and what NATS refuses it.
    pub async fn connect(&self, identity: &str) -> (async_nats::Client, platform::nats::ServerSignals) {
        let host = Host::new(self.stack.settings(Settings::from_toml(""))).unwrap();
        let config = host.settings.section("nats").unwrap();
        platform::nats::connect(&config, identity, &host.keys, host.metrics.clone()).await.unwrap()
    }

    /// Ends everything in order; the services must end well.
    pub async fn stop(mut self) {
        let names: Vec<String> = self.services.keys().cloned().collect();
        for name in names {
            self.terminate(&name).await;
        }
        self.leaks.finish().unwrap();
        self.provision.terminate().await.unwrap();
        self.stack.stop().await.unwrap();
    }
}

/// A time that can be booked.
#[derive(Debug, Clone)]
pub struct Slot {
    pub service: String,
    pub staff: String,
    pub starts_at: String,
}

impl Slot {
    fn of(service: &Value, slot: &Value) -> Slot {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Slot { service: text(&service["id"]), staff: text(&slot["staffIds"][0]), starts_at: text(&slot["startsAt"]) }
    }

    /// The body of a request that books it.
    pub fn wish(&self) -> Value {
        json!({
            "serviceId": self.service,
            "staffId": self.staff,
            "startsAt": self.starts_at,
            "pet": { "name": personal::text("Oyen"), "species": "cat" },
        })
    }
}

fn address() -> String {
    format!("127.0.0.1:{}", free_port().unwrap())
}

fn spawn(stack: &Stack, folder: &TempDir, arguments: &[&str], extra: &BTreeMap<String, String>) -> Process {
    let mut variables = stack.variables.clone();
    variables.insert("PETPRO_LOG__FILTER".to_owned(), "info".to_owned());
    variables.insert("PETPRO_CONFIG".to_owned(), "/dev/null".to_owned());
    variables.extend(extra.clone());
    let program = PathBuf::from(env!("CARGO_BIN_EXE_petpro"));
    Process::spawn(&program, arguments, &variables, &folder.path().join("services.log")).unwrap()
}
