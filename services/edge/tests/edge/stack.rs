//! One nats-server, one tiny vendor service and one edge, shared by all tests.

use crate::tiny_vendor::{self, Gate, TinyVendor};
use identity::{AccessTokens, KeyStore, Purpose, User};
use platform::nats::NatsConfig;
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{Settings, permissions, provision};
use serde_json::Value;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex};
use subjects::ids::{SessionId, UserId};
use subjects::{Role, catalogue};
use testkit::{Leaks, MemoryLog, Nats, NatsOptions};
use tokio::runtime::Runtime;

/// The auth service's identity, without the service.
struct SilentAuth;
impl platform::App for SilentAuth {
    const NAME: &'static str = "auth";
}
platform::calls!(SilentAuth => []);

pub struct Stack {
    pub edge: SocketAddr,
    pub auth: Setup,
    pub host: Host,
    pub gate: Arc<Gate>,
    access_tokens: AccessTokens,
    _nats: Nats,
    _running: Mutex<Vec<Running>>,
    _keys: tempfile::TempDir,
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static LOG: LazyLock<MemoryLog> = LazyLock::new(Arc::default);
static STACK: LazyLock<Stack> = LazyLock::new(|| RUNTIME.block_on(start()));

/// Runs a test against the shared stack.
pub fn with_stack<F: Future>(test: impl FnOnce(&'static Stack) -> F) -> F::Output {
    let stack: &'static Stack = &STACK;
    // What is logged while the test runs, by whatever test.
    let mut leaks = Leaks::new();
    leaks.memory("the log of the edge", &LOG);
    leaks.nats(&stack._nats);
    let output = RUNTIME.block_on(test(stack));
    leaks.finish().unwrap();
    output
}

async fn start() -> Stack {
    tracing_subscriber::fmt().json().with_max_level(tracing::Level::INFO).with_writer(|| LogWriter).init();
    let keys_folder = tempfile::tempdir().unwrap();
    KeyStore::create_missing(keys_folder.path(), &["auth", "profile", "vendor", "booking", "catalog", "edge"]).unwrap();
    let keys = KeyStore::open(keys_folder.path()).unwrap();

    let declarations = [
        platform::Service::<SilentAuth>::new().publishes_events().declaration(),
        tiny_vendor::service().declaration(),
        edge::service().declaration(),
    ];
    let public_keys = keys.nats_public_keys();
    let accounts =
        permissions::render(&permissions::permissions(&declarations), |identity| public_keys[identity].clone());
    let nats = Nats::start(NatsOptions { accounts, tls: Some(keys.nats_server_dir()), ..NatsOptions::default() })
        .await
        .unwrap();

    let settings = Settings::from_toml("")
        .set("nats.url", nats.url())
        .set("keys.dir", keys_folder.path())
        .set("keys.allow_plain", true)
        .set("edge.listen", "127.0.0.1:0")
        .set("edge.request_timeout_ms", 1_500)
        .set("edge.leave_after_ms", 1_000)
        .set("edge.limits_profile", "wide")
        .set("edge.shedding.times_slower", 1_000_000.0)
        // What the tiny service answers tells of the request that it was asked with.
        .set("edge.cache.enabled", false);
    let host = Host::new(settings).unwrap();
    let config: NatsConfig = host.settings.section("nats").unwrap();
    let (provisioner, _) = platform::nats::connect(&config, "provision", &keys, host.metrics.clone()).await.unwrap();
    provision::provision(&async_nats::jetstream::new(provisioner), &config, &[]).await.unwrap();

    let app = TinyVendor::default();
    let gate = app.gate.clone();
    let vendor = Setup::connect(&host, "vendor").await.unwrap();
    let vendor = runtime::start(vendor, tiny_vendor::service(), app).await.unwrap();
    let (edge, address) = start_edge(&host).await;
    Stack {
        edge: address,
        auth: Setup::connect(&host, "auth").await.unwrap(),
        host,
        gate,
        access_tokens: AccessTokens::new(keys.signing_key("auth", Purpose::Access).unwrap()),
        _nats: nats,
        _running: Mutex::new(vec![vendor, edge]),
        _keys: keys_folder,
    }
}

/// Starts an edge on a free port.
pub async fn start_edge(host: &Host) -> (Running, SocketAddr) {
    let setup = Setup::connect(host, "edge").await.unwrap();
    let app = edge::app(&setup).await.unwrap();
    let address = app.address();
    (runtime::start(setup, edge::service(), app).await.unwrap(), address)
}

impl Stack {
    /// One more edge, with settings of its own, and the host that has its metrics.
    pub async fn another_edge(&self, settings: impl FnOnce(Settings) -> Settings) -> Edge {
        let host = Host::new(settings(self.host.settings.clone())).unwrap();
        let (running, address) = start_edge(&host).await;
        Edge { address, host, running }
    }

    /// A request to the edge.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        client.request(method.parse().unwrap(), format!("http://{}{path}", self.edge))
    }

    /// A user with a session of their own, and an access token for it.
    pub fn user(&self, roles: &[Role]) -> (User, String) {
        let user = User { id: UserId::new(), session: SessionId::new(), roles: roles.to_vec() };
        let token = self.access_tokens.issue(&user, chrono::Utc::now());
        (user, token)
    }

    /// A token for a user with these roles.
    pub fn token(&self, roles: &[Role]) -> String {
        self.user(roles).1
    }
}

/// An edge that one test has for itself.
pub struct Edge {
    pub address: SocketAddr,
    pub host: Host,
    pub running: Running,
}

impl Edge {
    /// A request to this edge.
    pub fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        reqwest::Client::new().request(method.parse().unwrap(), format!("http://{}{path}", self.address))
    }

    /// The value of a metric without labels.
    pub fn metric(&self, name: &str) -> f64 {
        let families = self.host.registry.gather();
        let family = families.iter().find(|family| family.name() == name).unwrap();
        family.get_metric()[0].get_gauge().get_value()
    }
}

/// What the process has logged so far, one object a line.
pub fn logged() -> Vec<Value> {
    let text = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

struct LogWriter;
impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Answer {
    pub async fn to(request: reqwest::RequestBuilder) -> Answer {
        let (client, request) = request.build_split();
        let request = request.unwrap();
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let response = client.execute(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        crate::documented::check(&method, &path, status, &headers, text.as_bytes());
        if status >= 400 {
            testkit::check_refusal(&path, &text);
        }
        Answer { status, headers, text }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// What the tiny vendor service saw when it made this vendor.
    pub fn seen(&self) -> Value {
        let body = self.json();
        let vendor = body.get("vendor").unwrap_or(&body);
        serde_json::from_str(vendor["description"].as_str().unwrap()).unwrap()
    }
}

#[test]
fn every_service_but_the_tiny_ones_is_away() {
    // The tests rely on it: booking's routes answer 503.
    assert!(catalogue::SERVICES.contains(&"booking"));
}
