//! A connection to Redis that nobody waits for while Redis is away.

use crate::limits::config::RedisConfig;
use anyhow::Context as _;
use prometheus::IntGauge;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, FromRedisValue, IntoConnectionInfo as _, ScriptInvocation};
use secrecy::ExposeSecret as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// How long connecting may take, and the pause between two attempts.
const PATIENCE: Duration = Duration::from_secs(1);

/// A connection for one purpose. Once a question has failed or taken too long, nobody asks until the connection has
/// been made anew, in the background.
pub struct RedisLink {
    client: Client,
    timeout: Duration,
    connection: Mutex<State>,
    lost: Notify,
    is_there: IntGauge,
    /// What this process does by itself while there is no connection, for the log.
    alone: &'static str,
}

/// The connection, where there is one, and how many there have been: who finds one broken must not close its successor.
#[derive(Default)]
struct State {
    connection: Option<MultiplexedConnection>,
    generation: u64,
}

/// What is done with each new connection before it is used for anything else.
pub trait Prepare: Sync {
    /// Prepares a connection; without success it is not used.
    fn prepare(&self, connection: &mut MultiplexedConnection) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// What Redis answered, and over which of the connections.
#[derive(Debug, Clone, Copy)]
pub struct Answered<T> {
    /// The answer.
    pub answer: T,
    /// The connection, counted from the first.
    pub generation: u64,
}

impl RedisLink {
    /// A link to the Redis that is configured, if any; no question takes longer than `timeout`. Does not connect.
    ///
    /// # Errors
    /// The address is none; the text does not repeat it, as it may hold a password.
    pub fn new(
        config: &RedisConfig,
        timeout: Duration,
        is_there: IntGauge,
        alone: &'static str,
    ) -> anyhow::Result<Option<RedisLink>> {
        let Some(url) = config.url.as_ref().map(|url| url.expose_secret()).filter(|url| !url.is_empty()) else {
            return Ok(None);
        };
        let info = url.into_connection_info().context("PETPRO_REDIS__URL is not an address of a Redis")?;
        let info = match &config.password {
            Some(password) => {
                let settings = info.redis_settings().clone().set_password(password.expose_secret());
                info.set_redis_settings(settings)
            }
            None => info,
        };
        let client = Client::open(info)?;
        Ok(Some(RedisLink { client, timeout, connection: Mutex::default(), lost: Notify::new(), is_there, alone }))
    }

    /// Runs a script over the connection that there is now; over none but that of `generation` where one is given.
    /// `read` makes something of the answer, and nothing of one that has another shape. None: Redis is away, too slow or
    /// not itself, or the connection is another one by now.
    pub async fn invoke<A: FromRedisValue, T>(
        &self,
        script: &ScriptInvocation<'_>,
        generation: Option<u64>,
        read: impl FnOnce(A) -> Option<T>,
    ) -> Option<Answered<T>> {
        let (mut connection, current) = {
            let state = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
            (state.connection.clone()?, state.generation)
        };
        if generation.is_some_and(|wanted| wanted != current) {
            return None;
        }
        let asked = tokio::time::timeout(self.timeout, script.invoke_async::<A>(&mut connection)).await;
        let problem = match asked {
            Ok(Ok(answer)) => match read(answer) {
                Some(answer) => return Some(Answered { answer, generation: current }),
                None => "an answer of another shape".to_owned(),
            },
            Ok(Err(error)) => error.to_string(),
            Err(elapsed) => elapsed.to_string(),
        };
        self.lose(current, &problem);
        None
    }

    fn lose(&self, generation: u64, problem: &str) {
        let mut state = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if state.generation != generation || state.connection.take().is_none() {
            return;
        }
        drop(state);
        self.is_there.set(0);
        self.lost.notify_one();
        tracing::warn!(error = problem, "redis is away: {}", self.alone);
    }

    /// Connects, and again whenever the connection is lost, once a second at the most.
    pub async fn keep_connected(&self, prepare: &impl Prepare) {
        loop {
            if !self.connect(prepare).await {
                tokio::time::sleep(PATIENCE).await;
                continue;
            }
            self.lost.notified().await;
            tokio::time::sleep(PATIENCE).await;
        }
    }

    /// Connects where there is no connection. Whether there is one then.
    pub async fn connect(&self, prepare: &impl Prepare) -> bool {
        if self.connection.lock().unwrap_or_else(PoisonError::into_inner).connection.is_some() {
            return true;
        }
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(None);
        let connecting = async {
            let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
            // Shows that it answers, too.
            tokio::time::timeout(self.timeout.max(PATIENCE / 10), prepare.prepare(&mut connection)).await??;
            anyhow::Ok(connection)
        };
        match connecting.await {
            Ok(connection) => {
                let mut state = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
                state.connection = Some(connection);
                state.generation += 1;
                drop(state);
                self.is_there.set(1);
                true
            }
            Err(error) => {
                tracing::debug!(error = format!("{error:#}"), "redis cannot be reached");
                false
            }
        }
    }
}
