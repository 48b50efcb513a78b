//! A mesh under construction.

use crate::callers::Callers;
use crate::database;
use crate::declarations::{accounts, of_everybody};
use crate::keys::keys;
use crate::log;
use crate::mesh::Mesh;
use futures::future::LocalBoxFuture;
use identity::keys::{KeyStore, PROVISION};
use platform::nats::NatsConfig;
use platform::permissions::OPERATOR;
use platform::provision::provision;
use platform::runtime::{self, Running};
use platform::setup::{Host, Setup};
use platform::{App, Declaration, Service, Settings};
use std::sync::{Arc, Mutex};
use testkit::{Leaks, Nats, NatsOptions};

type Start = Box<dyn FnOnce(Setup) -> LocalBoxFuture<'static, anyhow::Result<Running>>>;

/// A mesh under construction.
#[must_use = "a mesh begins with `start`"]
pub struct MeshBuilder {
    tested: &'static str,
    declarations: Vec<Declaration>,
    starts: Vec<(&'static str, Start)>,
    settings: String,
}

impl MeshBuilder {
    pub(crate) fn new(tested: &'static str) -> MeshBuilder {
        MeshBuilder { tested, declarations: Vec::new(), starts: Vec::new(), settings: String::new() }
    }

    /// Runs a service from the start: the one that is tested, or a stand-in for one that it calls. `open` makes its
    /// state, as `catalog::app` does; for a stand-in `async |_: &Setup| Ok(state)`.
    pub fn with<A, Open>(mut self, service: Service<A>, open: Open) -> MeshBuilder
    where
        A: App,
        Open: AsyncFnOnce(&Setup) -> anyhow::Result<A> + 'static,
    {
        self.declarations.push(service.declaration());
        let start = |setup: Setup| -> LocalBoxFuture<'static, anyhow::Result<Running>> {
            Box::pin(async move {
                let app = open(&setup).await?;
                runtime::start(setup, service, app).await
            })
        };
        self.starts.push((A::NAME, Box::new(start)));
        self
    }

    /// Lets a service join later, with [`Mesh::start_another`]: NATS must know from the start what it may do.
    pub fn knowing<A: App>(mut self, service: &Service<A>) -> MeshBuilder {
        self.declarations.push(service.declaration());
        self
    }

    /// Adds settings in TOML, whole sections.
    pub fn settings(mut self, toml: &str) -> MeshBuilder {
        self.settings.push_str(toml);
        self.settings.push('\n');
        self
    }

    /// Starts everything, and returns once the services are ready.
    pub async fn start(self) -> Mesh {
        let MeshBuilder { tested, declarations, starts, settings } = self;
        let (keys_folder, keys) = keys();
        let declarations = of_everybody(tested, &declarations);
        let options = NatsOptions {
            accounts: accounts(&declarations, &keys),
            tls: Some(keys.nats_server_dir()),
            ..NatsOptions::default()
        };
        let nats = Nats::start(options).await.unwrap();
        let mut leaks = Leaks::new();
        leaks.nats(&nats);
        leaks.memory("the log of the services", log::begun());
        let (database_url, admin_url) = database::migrated(tested, &keys, &mut leaks).await;
        let settings = Settings::from_toml(&settings)
            .set_if_unsaid("nats.url", nats.url())
            .set_if_unsaid("keys.dir", keys_folder)
            .set_if_unsaid("keys.allow_plain", true)
            .set_if_unsaid("postgres.url", database_url)
            .set_if_unsaid("postgres.max_connections", 20);
        let operator = set_up_streams(&settings, &keys, &declarations).await;

        let mut running = Vec::new();
        for (name, start) in starts {
            let setup = Setup::connect(&Host::new(settings.clone()).unwrap(), name).await.unwrap();
            running.push(start(setup).await.unwrap());
        }
        Mesh {
            _leaks: leaks,
            tested,
            callers: Arc::new(Callers::new(settings.clone())),
            settings,
            database: database::connect(admin_url, tested).await,
            operator,
            _running: Mutex::new(running),
            nats,
        }
    }
}

/// Makes streams and consumers, and answers the operator's connection, which may listen to all events.
async fn set_up_streams(settings: &Settings, keys: &KeyStore, declarations: &[Declaration]) -> async_nats::Client {
    let config: NatsConfig = settings.section("nats").unwrap();
    let connect_as = async |identity: &'static str| {
        let metrics = platform::metrics::Metrics::register(&prometheus::Registry::new()).unwrap();
        platform::nats::connect(&config, identity, keys, metrics).await.unwrap().0
    };
    let consumers: Vec<_> = declarations.iter().flat_map(|declaration| declaration.consumers.clone()).collect();
    let jetstream = async_nats::jetstream::new(connect_as(PROVISION).await);
    provision(&jetstream, &config, &consumers).await.unwrap();
    connect_as(OPERATOR).await
}
