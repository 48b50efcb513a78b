//! The connections of one service.

use crate::audit::AuditConfig;
use crate::config::{PostgresConfig, Session};
use crate::error::Error;
use crate::metrics::StoreMetrics;
use crate::projection::ReadModels;
use crate::work::Handlers;
use anyhow::Context as _;
use async_nats::jetstream;
use futures::future::BoxFuture;
use platform::{App, Setup};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use secrecy::SecretString;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long to wait for Postgres at start.
const START_PATIENCE: Duration = Duration::from_secs(30);
const START_PAUSE: Duration = Duration::from_millis(250);
/// A connection that was idle for so long is tried before it is used.
const TRY_AFTER_IDLE: Duration = Duration::from_secs(30);

/// A service's database: its own schema, under its own role. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) service: &'static str,
    pub(crate) database: DatabaseConnection,
    /// Told after each commit that has put something into the outbox.
    pub(crate) outbox_filled: Notify,
    pub(crate) metrics: StoreMetrics,
    /// The handlers of events that run in this replica.
    pub(crate) handlers: Handlers,
    /// How long the audit log is kept; known once the service runs.
    pub(crate) audit: OnceLock<AuditConfig>,
    /// Known once the service runs.
    pub(crate) jetstream: OnceLock<jetstream::Context>,
}

impl Store {
    /// Connects the service that is being set up, with the sections `postgres` and `audit` and the password from its keys. Its
    /// health shows as `<service>.postgres`.
    ///
    /// # Errors
    /// A bad setting, a missing password, or no database within 30 s.
    pub async fn open(setup: &Setup) -> anyhow::Result<Store> {
        let config: PostgresConfig = setup.settings.section("postgres")?;
        let password = setup.keys.postgres_password(setup.name)?;
        let audit: AuditConfig = setup.settings.section("audit")?;
        let store = Store::connect(&config, setup.name, &password).await?;
        let _first = store.inner.audit.set(audit);
        let asked = store.clone();
        let check = move || -> BoxFuture<'static, Result<(), String>> {
            let store = asked.clone();
            Box::pin(async move { store.ping().await.map_err(|error| error.to_string()) })
        };
        setup.health.add_check(&format!("{}.postgres", setup.name), Arc::new(check));
        Ok(store)
    }

    /// Connects `service` under its role with this password.
    ///
    /// # Errors
    /// No database within 30 s, or one that refuses the role.
    pub async fn connect(
        config: &PostgresConfig,
        service: &'static str,
        password: &SecretString,
    ) -> anyhow::Result<Store> {
        let session = config.session(service, password);
        let options = connect_options(config, &session);
        let database = connect_patiently(options).await.with_context(|| {
            format!("{service}: no connection to {} (PETPRO_POSTGRES__URL); is it migrated?", config.url)
        })?;
        let inner = Inner {
            service,
            database,
            outbox_filled: Notify::new(),
            metrics: StoreMetrics::new(service)?,
            audit: OnceLock::new(),
            jetstream: OnceLock::new(),
            handlers: Handlers::default(),
        };
        Ok(Store { inner: Arc::new(inner) })
    }

    /// For reads that need no transaction.
    pub fn read(&self) -> &DatabaseConnection {
        &self.inner.database
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub async fn ping(&self) -> Result<(), Error> {
        Ok(self.inner.database.ping().await?)
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("service", &self.inner.service).finish_non_exhaustive()
    }
}

/// A service that keeps data.
pub trait HasStore: App {
    /// Its database.
    fn store(&self) -> &Store;

    /// Its read models. Each is built from its owner's snapshot when it is new, and whenever an operator says so.
    fn read_models() -> ReadModels<Self>
    where
        Self: Sized,
    {
        ReadModels::none()
    }
}

fn connect_options(config: &PostgresConfig, session: &Session) -> ConnectOptions {
    let mut options = ConnectOptions::new(&config.url);
    let session = session.clone();
    options
        .max_connections(config.max_connections)
        .acquire_timeout(config.acquire_timeout())
        .test_before_acquire_if_idle_for(TRY_AFTER_IDLE)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_postgres_opts(move |postgres| session.apply(postgres));
    options
}

/// Postgres may be starting too. A refusal that waiting does not mend comes back at once.
async fn connect_patiently(options: ConnectOptions) -> Result<DatabaseConnection, Error> {
    let give_up = Instant::now() + START_PATIENCE;
    loop {
        let error = match Database::connect(options.clone()).await {
            Ok(database) => return Ok(database),
            Err(error) => Error::from(error),
        };
        if !may_still_come(&error) || Instant::now() >= give_up {
            return Err(error);
        }
        tokio::time::sleep(START_PAUSE).await;
    }
}

fn may_still_come(error: &Error) -> bool {
    match error.sqlstate() {
        // cannot_connect_now: it is starting up or recovering.
        Some(sqlstate) => sqlstate == "57P03",
        None => true,
    }
}
