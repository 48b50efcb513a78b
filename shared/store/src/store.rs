//! A service's connection pool and its transactions.

use crate::config::PostgresConfig;
use crate::error::Error;
use crate::idempotency::{self, Claim};
use crate::tx::Tx;
use anyhow::Context as _;
use platform::permissions::relay_wake;
use platform::{App, Cx, Meta, Setup};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, TransactionTrait as _};
use secrecy::ExposeSecret as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use subjects::{Fault, Request, ServiceError};
use tokio::sync::Notify;

/// How often a transaction is tried again that another one was in the way of.
const CONFLICT_RETRIES: u32 = 3;
/// The longest pause before the first of these.
const CONFLICT_PAUSE: Duration = Duration::from_millis(10);
/// How long a caller may wait for a connection of the pool; its deadline ends the wait sooner.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A service's schema. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    service: &'static str,
    db: DatabaseConnection,
    nats: async_nats::Client,
    wake: Notify,
    relays_here: AtomicBool,
}

/// A service that keeps data.
pub trait HasStore: App {
    /// Its store.
    fn store(&self) -> &Store;
}

impl Store {
    /// Connects to the service's own schema as its own role, and adds a health check.
    ///
    /// # Errors
    /// A bad setting, a missing password, or no Postgres.
    pub async fn connect(setup: &Setup) -> anyhow::Result<Store> {
        let config: PostgresConfig = setup.settings.section("postgres")?;
        let db = connect_pool(&config, setup).await?;
        let ping = db.clone();
        setup.health.add_check(
            &format!("{}.postgres", setup.name),
            Arc::new(move || {
                let db = ping.clone();
                Box::pin(async move { db.execute_unprepared("select 1").await.map(|_| ()).map_err(|error| error.to_string()) })
            }),
        );
        Ok(Store(Arc::new(Inner {
            service: setup.name,
            db,
            nats: setup.nats.clone(),
            wake: Notify::new(),
            relays_here: AtomicBool::new(false),
        })))
    }

    /// The pool, for reads outside a transaction.
    pub fn read(&self) -> &DatabaseConnection {
        &self.0.db
    }

    /// Runs a change in one transaction: commits where it succeeds, takes all back where it fails. A deadlock or a
    /// serialisation failure is tried again, so the effect may run several times.
    ///
    /// # Errors
    /// The effect's own, or a [`Fault`] of the database.
    pub async fn write<A, T, E, F, Fut>(&self, cx: &Cx<A>, effect: F) -> Result<T, E>
    where
        A: App,
        E: From<Fault>,
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.transact(cx.meta(), effect).await
    }

    /// Likewise, and keeps the answer under the caller's idempotency key in the same transaction. The same key again
    /// answers what was stored; so does a refusal, unless it was for overload or a fault of ours.
    ///
    /// # Errors
    /// The effect's own; `idempotency_key_reused` (422) for another request under the same key;
    /// `idempotency_key_in_use` (409) when the first one does not end before the deadline.
    pub async fn keyed<A, R, F, Fut>(&self, cx: &Cx<A>, request: &R, effect: F) -> Result<R::Reply, R::Error>
    where
        A: App,
        R: Request,
        R::Error: From<Fault>,
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<R::Reply, R::Error>>,
    {
        let Some(key) = &cx.meta().idempotency_key else { return self.transact(cx.meta(), effect).await };
        let claim = Claim::new(cx.caller().scope(), R::SUBJECT, key, request)?;
        let mut attempt = 0;
        loop {
            match self.keyed_once(cx, &claim, &effect).await {
                Attempt::Conflict(_) if attempt < CONFLICT_RETRIES => attempt += 1,
                Attempt::Conflict(error) | Attempt::Done(Err(error)) => return Err(error),
                Attempt::Done(Ok(reply)) => return Ok(reply),
            }
            conflict_pause(attempt).await;
        }
    }

    async fn keyed_once<A, R, T, F, Fut>(&self, cx: &Cx<A>, claim: &Claim<'_>, effect: &F) -> Attempt<T, R>
    where
        A: App,
        R: ServiceError + From<Fault>,
        T: serde::Serialize + serde::de::DeserializeOwned,
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T, R>>,
    {
        let outer = match self.0.db.begin().await {
            Ok(outer) => outer,
            Err(error) => return Attempt::failed(error),
        };
        match idempotency::look_up::<T>(&outer, claim, cx.remaining()).await {
            Ok(None) => {}
            Ok(Some(stored)) => {
                cx.mark_replayed();
                return Attempt::Done(stored.map_err(R::from_fault));
            }
            Err(fault) => return Attempt::Done(Err(fault.into())),
        }
        // A savepoint, so that a refusal can be kept while what led to it is taken back.
        let inner = match outer.begin().await {
            Ok(inner) => inner,
            Err(error) => return Attempt::failed(error),
        };
        let tx = Tx::new(inner, cx.meta().clone());
        let outcome = effect(tx.clone()).await;
        let left = match tx.leave() {
            Ok(left) => left,
            Err(error) => return Attempt::Done(Err(Fault::from(error).into())),
        };
        match outcome {
            Ok(reply) => {
                let kept = async {
                    left.transaction.commit().await.map_err(Error::from)?;
                    idempotency::keep_reply(&outer, claim, &reply).await?;
                    outer.commit().await.map_err(Error::from)
                };
                match kept.await {
                    Ok(()) => {
                        self.after_commit(left.emitted);
                        Attempt::Done(Ok(reply))
                    }
                    Err(error) => Attempt::Done(Err(Fault::from(error).into())),
                }
            }
            Err(error) if left.conflicted => Attempt::Conflict(error),
            Err(error) => Attempt::Done(Err(refuse(left.transaction, outer, claim, error).await)),
        }
    }

    /// Runs a change with given circumstances, for work that no request asked for.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn transact<T, E, F, Fut>(&self, meta: &Meta, effect: F) -> Result<T, E>
    where
        E: From<Fault>,
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let mut attempt = 0;
        loop {
            let transaction = self.0.db.begin().await.map_err(|error| Fault::from(Error::from(error)))?;
            let tx = Tx::new(transaction, meta.clone());
            let outcome = effect(tx.clone()).await;
            let left = tx.leave().map_err(Fault::from)?;
            match outcome {
                Ok(value) => {
                    left.transaction.commit().await.map_err(|error| Fault::from(Error::from(error)))?;
                    self.after_commit(left.emitted);
                    return Ok(value);
                }
                // Dropping the transaction takes everything back.
                Err(_) if left.conflicted && attempt < CONFLICT_RETRIES => attempt += 1,
                Err(error) => return Err(error),
            }
            conflict_pause(attempt).await;
        }
    }

    /// Wakes the relay: here where this replica relays, by a core NATS message where another one does.
    fn after_commit(&self, emitted: bool) {
        if !emitted {
            return;
        }
        self.0.wake.notify_one();
        if !self.0.relays_here.load(Ordering::Relaxed) {
            let store = self.clone();
            tokio::spawn(async move {
                // The relay also looks on its own, so a wake-up that gets lost only costs a moment.
                if let Err(error) = store.0.nats.publish(relay_wake(store.0.service), "".into()).await {
                    tracing::debug!(error = %error, "the relay was not woken");
                }
            });
        }
    }

    pub(crate) fn wake(&self) -> &Notify {
        &self.0.wake
    }

    pub(crate) fn set_relays_here(&self, relays_here: bool) {
        self.0.relays_here.store(relays_here, Ordering::Relaxed);
    }
}

enum Attempt<T, E> {
    Done(Result<T, E>),
    /// Another transaction was in the way.
    Conflict(E),
}

impl<T, E: From<Fault>> Attempt<T, E> {
    fn failed(error: sea_orm::DbErr) -> Attempt<T, E> {
        Attempt::Done(Err(Fault::from(Error::from(error)).into()))
    }
}

/// Takes back what the effect did and keeps its refusal, where that is the caller's to know again.
async fn refuse<E: ServiceError + From<Fault>>(
    inner: sea_orm::DatabaseTransaction,
    outer: sea_orm::DatabaseTransaction,
    claim: &Claim<'_>,
    error: E,
) -> E {
    let fault = error.into_fault();
    if !idempotency::is_worth_keeping(&fault) {
        return E::from_fault(fault);
    }
    let kept = async {
        inner.rollback().await.map_err(Error::from)?;
        idempotency::keep_refusal(&outer, claim, &fault).await?;
        outer.commit().await.map_err(Error::from)
    };
    match kept.await {
        Ok(()) => E::from_fault(fault),
        Err(error) => Fault::from(error).into(),
    }
}

async fn conflict_pause(attempt: u32) {
    let longest = CONFLICT_PAUSE.saturating_mul(1 << attempt.min(8));
    tokio::time::sleep(longest.mul_f64(rand::random::<f64>())).await;
}

async fn connect_pool(config: &PostgresConfig, setup: &Setup) -> anyhow::Result<DatabaseConnection> {
    let role = format!("{}_{}", config.role_prefix, setup.name);
    let password = setup.keys.postgres_password(setup.name)?;
    let search_path = format!("{},ext", setup.name);
    let statement_timeout = config.statement_timeout_ms.to_string();
    let (service, login) = (setup.name, role.clone());
    let mut options = ConnectOptions::new(config.url.as_str());
    options
        .max_connections(config.max_connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_postgres_opts(move |postgres| {
            postgres
                .username(&login)
                .password(password.expose_secret())
                .application_name(&format!("petpro-{service}"))
                .options([("search_path", search_path.as_str()), ("statement_timeout", statement_timeout.as_str())])
        });
    Database::connect(options).await.with_context(|| {
        format!(
            "cannot connect to Postgres at {} as {role}: is it running, and is the database migrated (`petpro migrate`)?",
            config.url
        )
    })
}
