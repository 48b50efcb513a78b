//! What a service has before it has anything of its own: configuration, keys, metrics, and its NATS connection.

use crate::app::App;
use crate::audit::AuditQueue;
use crate::client::Client;
use crate::cx::Cx;
use crate::health::Health;
pub use crate::keys::KeysConfig;
use crate::meta::Meta;
use crate::metrics::Metrics;
use crate::nats::{NatsConfig, ServerSignals};
use crate::resending::ClientConfig;
use crate::settings::Settings;
use crate::versions::TrafficConfig;
use anyhow::Context as _;
use identity::keys::{KeyStore, Purpose};
use identity::{Caller, Revocations, ServiceTokens, Verifier};
use prometheus::Registry;
use std::sync::Arc;
use std::time::Duration;

/// What all services of a process share.
#[derive(Clone)]
pub struct Host {
    /// Configuration.
    pub settings: Settings,
    /// Keys and passwords.
    pub keys: Arc<KeyStore>,
    /// Where metrics are registered.
    pub registry: Registry,
    /// The common metrics.
    pub metrics: Metrics,
    /// What the admin port tells.
    pub health: Health,
}

impl Host {
    /// Opens the key folder and makes the registry.
    ///
    /// # Errors
    /// A bad setting, or no keys yet.
    pub fn new(settings: Settings) -> anyhow::Result<Host> {
        let config: KeysConfig = settings.section("keys")?;
        let keys =
            config.open().with_context(|| format!("no usable keys in {} (PETPRO_KEYS__DIR)", config.dir.display()))?;
        let registry = Registry::new();
        let metrics = Metrics::register(&registry)?;
        Ok(Host { settings, keys: Arc::new(keys), registry, metrics, health: Health::default() })
    }
}

/// What one service starts from.
pub struct Setup {
    /// The service's name.
    pub name: &'static str,
    /// This instance's id, as `$SRV.INFO` shows it.
    pub instance: Arc<str>,
    /// The version whose requests this instance takes; those of the stable version where none is said.
    pub version: Option<String>,
    /// Configuration.
    pub settings: Settings,
    /// Keys and passwords.
    pub keys: Arc<KeyStore>,
    /// Where the service registers metrics of its own.
    pub registry: Registry,
    /// The common metrics.
    pub metrics: Metrics,
    /// What the admin port tells.
    pub health: Health,
    /// The connection, under the service's own identity.
    pub nats: async_nats::Client,
    /// What NATS has refused this connection.
    pub signals: ServerSignals,
    /// JetStream over the same connection.
    pub jetstream: async_nats::jetstream::Context,
    /// Requests to other services.
    pub client: Client,
    /// Checks tokens for this service.
    pub verifier: Arc<Verifier>,
    /// The sessions that were revoked, kept up to date by their events.
    pub revocations: Revocations,
    /// What waits to be written into the audit log.
    pub audit: AuditQueue,
}

impl Setup {
    /// Connects `name` under its own identity.
    ///
    /// # Errors
    /// A bad setting, missing keys, or no NATS within 30 s.
    pub async fn connect(host: &Host, name: &'static str) -> anyhow::Result<Setup> {
        let config: NatsConfig = host.settings.section("nats")?;
        let client_config: ClientConfig = host.settings.section("client")?;
        let keys_config: KeysConfig = host.settings.section("keys")?;
        let traffic: TrafficConfig = host.settings.section("traffic")?;
        let (nats, signals) =
            crate::nats::connect_as(&config, name, &host.keys, keys_config.refresh(), host.metrics.clone()).await?;
        let tokens = ServiceTokens::new(host.keys.signer(name, Purpose::Service)?);
        let client = Client::new(name, nats.clone(), signals.clone(), tokens, host.metrics.clone(), &client_config);
        Ok(Setup {
            name,
            instance: Arc::from(uuid::Uuid::now_v7().simple().to_string()),
            version: traffic.version,
            settings: host.settings.clone(),
            keys: host.keys.clone(),
            registry: host.registry.clone(),
            metrics: host.metrics.clone(),
            health: host.health.clone(),
            jetstream: crate::nats::jetstream(nats.clone()),
            nats,
            signals,
            client,
            verifier: Arc::new(Verifier::following(&host.keys, name)),
            revocations: Revocations::default(),
            audit: AuditQueue::new(host.metrics.audit_lost(name)),
        })
    }

    /// A context in which the service itself is the caller, for one piece of work called `name` outside a running
    /// service, seeding for example, that may take `timeout`.
    pub fn cx<A: App>(&self, app: Arc<A>, name: &str, timeout: Duration) -> Cx<A> {
        let caller = Caller::of_service(A::NAME);
        let deadline = tokio::time::Instant::now() + timeout;
        Cx::new(app, self.client.clone(), caller, None, Meta::background(name), deadline, None)
    }
}
