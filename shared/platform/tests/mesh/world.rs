//! Two small services over messages of the real contract, and a client that is the edge.

use async_nats::HeaderMap;
use futures::future::BoxFuture;
use identity::keys::{KeyStore, PROVISION, Purpose};
use identity::{User, UserTokens};
use platform::metrics::Metrics;
use platform::nats::{NatsConfig, connect};
use platform::permissions::{permissions, render};
use platform::provision::provision;
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{App, Cx, Declaration, Service, Settings};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use subjects::auth::{AuthError, FindUser, JsonWebKeySet, Jwks, Me, User as Account, ValidateToken, ValidatedToken};
use subjects::ids::{SessionId, UserId};
use subjects::vendor::{FindClinic, VendorError};
use subjects::{Fault, NoError, Role};
use tempfile::TempDir;
use testkit::{Nats, NatsOptions};

/// Plays the auth service: its handlers do what a test needs to see.
#[derive(Default)]
pub struct Auth {
    pub calls: Arc<AtomicUsize>,
}

impl App for Auth {
    const NAME: &'static str = "auth";
}
platform::calls!(Auth => []);

/// Plays the vendor service, which asks auth.
pub struct Vendor;

impl App for Vendor {
    const NAME: &'static str = "vendor";
}
platform::calls!(Vendor => [ValidateToken]);

/// Answers no keys.
async fn jwks(cx: Cx<Auth>, _: Jwks) -> Result<JsonWebKeySet, NoError> {
    cx.app.calls.fetch_add(1, Ordering::SeqCst);
    Ok(JsonWebKeySet { keys: Vec::new() })
}

/// Panics.
async fn me(_: Cx<Auth>, _: Me) -> Result<Account, AuthError> {
    panic!("on purpose")
}

/// Never ends by itself.
async fn find_user(cx: Cx<Auth>, _: FindUser) -> Result<Account, AuthError> {
    cx.app.calls.fetch_add(1, Ordering::SeqCst);
    std::future::pending().await
}

async fn validate(cx: Cx<Auth>, request: ValidateToken) -> Result<ValidatedToken, AuthError> {
    let fault = Fault::forbidden().with_reason(format!("seen from {:?}", cx.caller().service));
    drop(request);
    Err(fault.into())
}

/// Asks auth on behalf of its caller and tells what auth said.
async fn find_clinic(cx: Cx<Vendor>, _: FindClinic) -> Result<subjects::vendor::Clinic, VendorError> {
    let question: ValidateToken = serde_json::from_value(serde_json::json!({ "token": "x" })).unwrap();
    match cx.call(&question).await {
        Ok(_) => Err(Fault::internal("auth accepted").into()),
        Err(error) => Err(subjects::ServiceError::into_fault(error).into()),
    }
}

pub fn auth_service() -> Service<Auth> {
    Service::new().on(jwks).on(me).on(find_user).on(validate).publishes_events()
}

pub fn vendor_service() -> Service<Vendor> {
    Service::new().on(find_clinic)
}

/// The subjects of all who play the auth service in some test.
fn auth_declaration() -> Declaration {
    let mut declaration = auth_service().declaration();
    let others = crate::resending::service().declaration().operations;
    declaration.operations.extend(others.into_iter().filter(|operation| operation.subject != "auth.jwks"));
    declaration
}

/// Like the edge's declaration: calls what has routes.
fn edge_declaration() -> Declaration {
    Declaration {
        name: "edge",
        operations: Vec::new(),
        calls: vec!["auth.jwks", "auth.me", "auth.register", "auth.login", "user.findOne", "clinic.findOne"],
        consumers: Vec::new(),
        publishes_events: false,
    }
}

pub struct World {
    pub nats: Nats,
    keys: TempDir,
    settings: String,
}

impl World {
    pub async fn start(extra_settings: &str) -> World {
        let keys = tempfile::tempdir().unwrap();
        KeyStore::create_missing(
            keys.path().join("keys"),
            &["auth", "profile", "vendor", "booking", "catalog", "edge"],
        )
        .unwrap();
        let store = KeyStore::open(keys.path().join("keys")).unwrap();
        let declarations = [auth_declaration(), vendor_service().declaration(), edge_declaration()];
        let accounts = render(&permissions(&declarations), |identity| store.nats_public_keys()[identity].clone());
        let nats = Nats::start(NatsOptions { accounts, ..NatsOptions::default() }).await.unwrap();
        let settings = format!(
            "[nats]\nurl = '{}'\n[keys]\ndir = '{}'\n{extra_settings}",
            nats.url(),
            keys.path().join("keys").display()
        );
        let world = World { nats, keys, settings };
        let config = world.nats_config();
        let seed = store.nats_seed(PROVISION).unwrap();
        let (client, _) = connect(&config, PROVISION, &seed, metrics()).await.unwrap();
        provision(&async_nats::jetstream::new(client), &config, &[]).await.unwrap();
        world
    }

    fn nats_config(&self) -> NatsConfig {
        Settings::from_toml(&self.settings).section("nats").unwrap()
    }

    pub fn key_store(&self) -> KeyStore {
        KeyStore::open(self.keys.path().join("keys")).unwrap()
    }

    /// A host of its own, as a process would have.
    pub fn host(&self) -> Host {
        Host::new(Settings::from_toml(&self.settings)).unwrap()
    }

    pub async fn run_auth(&self) -> (Running, Arc<str>) {
        self.run_auth_with(Auth::default()).await
    }

    /// An auth whose handled requests the test counts.
    pub async fn run_counted_auth(&self) -> (Running, Arc<AtomicUsize>) {
        let auth = Auth::default();
        let calls = auth.calls.clone();
        (self.run_auth_with(auth).await.0, calls)
    }

    async fn run_auth_with(&self, auth: Auth) -> (Running, Arc<str>) {
        let setup = Setup::connect(&self.host(), "auth").await.unwrap();
        let instance = setup.instance.clone();
        (runtime::start(setup, auth_service(), auth).await.unwrap(), instance)
    }

    pub async fn run_vendor(&self) -> Running {
        let setup = Setup::connect(&self.host(), "vendor").await.unwrap();
        runtime::start(setup, vendor_service(), Vendor).await.unwrap()
    }

    /// The edge's connection and client.
    pub async fn edge(&self) -> Setup {
        Setup::connect(&self.host(), "edge").await.unwrap()
    }

    /// A plain connection, as the `nats` command line has it.
    pub async fn operator(&self) -> async_nats::Client {
        let seed = self.key_store().nats_seed("operator").unwrap();
        connect(&self.nats_config(), "operator", &seed, metrics()).await.unwrap().0
    }

    pub fn user_token(&self) -> String {
        let key = self.key_store().signing_key("edge", Purpose::User).unwrap();
        let user = User { id: UserId::new(), session: SessionId::new(), roles: vec![Role::Customer] };
        UserTokens::new(key).issue(&user, chrono::Utc::now())
    }
}

fn metrics() -> Metrics {
    Metrics::register(&prometheus::Registry::new()).unwrap()
}

/// Asks with headers and answers (error code, body).
pub fn ask<'a>(
    client: &'a async_nats::Client,
    subject: &'a str,
    headers: &[(&str, &str)],
    body: &'a [u8],
) -> BoxFuture<'a, (Option<String>, Value)> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, *value);
    }
    Box::pin(async move {
        let request = async_nats::Request::new()
            .headers(map)
            .payload(body.to_vec().into())
            .timeout(Some(Duration::from_secs(20)));
        let reply = client.send_request(subject.to_owned(), request).await.unwrap();
        let code = reply.headers.as_ref().and_then(|headers| headers.get("Nats-Service-Error-Code"));
        (code.map(|code| code.to_string()), serde_json::from_slice(&reply.payload).unwrap())
    })
}
