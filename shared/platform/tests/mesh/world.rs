//! Two small services over messages of the real contract, and a client that is the edge.

use async_nats::HeaderMap;
use bytes::Bytes;
use futures::future::BoxFuture;
use identity::keys::{KeyStore, PROVISION, Purpose};
use identity::{User, UserTokens};
use platform::client::RawCall;
use platform::codec::ContentType;
use platform::metrics::Metrics;
use platform::nats::{NatsConfig, ServerSignals, connect};
use platform::permissions::{permissions, render};
use platform::provision::provision;
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{App, Cx, Declaration, Meta, Service, Settings, Traffic};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use subjects::auth::{AuthError, FindUser, JsonWebKeySet, Jwks, Me, User as Account, ValidateToken, ValidatedToken};
use subjects::ids::{SessionId, UserId};
use subjects::vendor::{FindClinic, VendorError};
use subjects::{Fault, NoError, Role};
use tempfile::TempDir;
use testkit::{Leaks, Nats, NatsOptions};

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
pub fn auth_declaration() -> Declaration {
    let mut declaration = auth_service().declaration();
    let others = crate::resending::service().declaration().operations;
    declaration.operations.extend(others.into_iter().filter(|operation| operation.subject != "auth.jwks"));
    declaration
}

/// Like the edge's declaration: calls what has routes.
pub fn edge_declaration() -> Declaration {
    Declaration {
        name: "edge",
        operations: Vec::new(),
        calls: vec!["auth.jwks", "auth.me", "auth.register", "auth.login", "user.findOne", "clinic.findOne"],
        consumers: Vec::new(),
        publishes_events: false,
        follows: Vec::new(),
    }
}

pub struct World {
    /// First, so that it looks while the rest is there.
    _leaks: Leaks,
    pub nats: Nats,
    keys: TempDir,
    settings: String,
    declarations: Vec<Declaration>,
    accounts: String,
}

impl World {
    pub async fn start(extra_settings: &str) -> World {
        let declarations = [auth_declaration(), vendor_service().declaration(), edge_declaration()];
        World::of(&declarations, extra_settings).await
    }

    /// With the permissions of these services.
    pub async fn of(declarations: &[Declaration], extra_settings: &str) -> World {
        let keys = tempfile::tempdir().unwrap();
        KeyStore::create_missing(
            keys.path().join("keys"),
            &["auth", "profile", "vendor", "booking", "catalog", "edge"],
        )
        .unwrap();
        let store = KeyStore::open(keys.path().join("keys")).unwrap();
        let accounts = render(&permissions(declarations), |identity| store.nats_public_keys()[identity].clone());
        let tls = Some(store.nats_server_dir());
        let options = NatsOptions { accounts: accounts.clone(), tls, ..NatsOptions::default() };
        let nats = Nats::start(options).await.unwrap();
        let settings = format!(
            "[nats]\nurl = '{}'\n[keys]\ndir = '{}'\nallow_plain = true\n{extra_settings}",
            nats.url(),
            keys.path().join("keys").display()
        );
        let mut leaks = Leaks::new();
        leaks.nats(&nats);
        let world = World { _leaks: leaks, nats, keys, settings, declarations: declarations.to_vec(), accounts };
        let config = world.nats_config();
        let (client, _) = connect(&config, PROVISION, &store, metrics()).await.unwrap();
        provision(&async_nats::jetstream::new(client), &config, &[]).await.unwrap();
        world
    }

    /// Has NATS share requests out like this.
    pub async fn share_out(&self, traffic: &Traffic) {
        let config = format!("{}{}", traffic.mappings(&self.declarations), self.accounts);
        self.nats.reload(&config).await.unwrap();
    }

    fn nats_config(&self) -> NatsConfig {
        Settings::from_toml(&self.settings).section("nats").unwrap()
    }

    pub fn key_store(&self) -> KeyStore {
        KeyStore::open(self.keys.path().join("keys")).unwrap()
    }

    /// The settings, and some more.
    pub fn settings(&self, more: &str) -> String {
        format!("{}\n{more}", self.settings)
    }

    /// A host of its own, as a process would have.
    pub fn host(&self) -> Host {
        Host::new(Settings::from_toml(&self.settings)).unwrap()
    }

    /// Another host, with more settings.
    pub fn host_with(&self, more: &str) -> Host {
        Host::new(Settings::from_toml(&self.settings(more))).unwrap()
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
        self.connect("operator").await.0
    }

    /// A plain connection as any identity, and what NATS refuses it.
    pub async fn connect(&self, identity: &str) -> (async_nats::Client, ServerSignals) {
        connect(&self.nats_config(), identity, &self.key_store(), metrics()).await.unwrap()
    }

    pub fn user_token(&self) -> String {
        self.user_token_of("edge")
    }

    /// A customer's token, signed by whoever may.
    pub fn user_token_of(&self, signer: &str) -> String {
        self.token_of(&User { id: UserId::new(), session: SessionId::new(), roles: vec![Role::Customer] }, signer)
    }

    /// A user's token, signed by whoever may.
    pub fn token_of(&self, user: &User, signer: &str) -> String {
        let key = self.key_store().signing_key(signer, Purpose::User).unwrap();
        UserTokens::new(key).issue(user, chrono::Utc::now())
    }
}

pub fn metrics() -> Metrics {
    Metrics::register(&prometheus::Registry::new()).unwrap()
}

/// A call in JSON that has so much time.
pub fn call<'a>(meta: &'a Meta, body: &str, token: Option<&str>, timeout: Duration) -> RawCall<'a> {
    RawCall {
        content_type: ContentType::Json,
        body: Bytes::from(body.to_owned()),
        user_token: token.map(Into::into),
        deadline: tokio::time::Instant::now() + timeout,
        meta,
    }
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
