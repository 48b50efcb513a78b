//! Counting in Redis, for all instances together.

use super::config::RedisConfig;
use super::{Outcome, Share};
use anyhow::Context as _;
use prometheus::IntGauge;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo as _, Script};
use secrecy::ExposeSecret as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

const TAKE: &str = include_str!("take.lua");
/// How long connecting may take, and the pause between two attempts.
const PATIENCE: Duration = Duration::from_secs(1);

/// The counts in Redis. While they cannot be had, nobody waits for them.
pub struct Shared {
    client: Client,
    script: Script,
    timeout: Duration,
    connection: Mutex<State>,
    lost: Notify,
    is_shared: IntGauge,
}

/// The connection, where there is one, and how many there have been: who finds one broken must not close its successor.
#[derive(Default)]
struct State {
    connection: Option<MultiplexedConnection>,
    generation: u64,
}

impl Shared {
    /// The counts in the Redis that is configured, if any. Does not connect.
    ///
    /// # Errors
    /// The address is none; the text does not repeat it, as it may hold a password.
    pub fn new(config: &RedisConfig, is_shared: IntGauge) -> anyhow::Result<Option<Shared>> {
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
        Ok(Some(Shared {
            client: Client::open(info)?,
            script: Script::new(TAKE),
            timeout: config.timeout(),
            connection: Mutex::default(),
            lost: Notify::new(),
            is_shared,
        }))
    }

    /// Takes one request from every budget, or from none of them. None: Redis is away or too slow.
    pub async fn take(&self, shares: &[Share]) -> Option<Outcome> {
        let (mut connection, generation) = {
            let state = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
            (state.connection.clone()?, state.generation)
        };
        let mut invocation = self.script.prepare_invoke();
        for share in shares {
            invocation.key(&share.key).arg(share.policy.share_us()).arg(share.policy.capacity_us());
        }
        let asked = tokio::time::timeout(self.timeout, invocation.invoke_async::<Vec<i64>>(&mut connection)).await;
        let problem = match asked {
            Ok(Ok(answer)) => match answer.split_first() {
                Some((taken, backlogs)) if backlogs.len() == shares.len() => {
                    return Some(Outcome { taken: *taken == 1, backlogs_us: backlogs.to_vec() });
                }
                _ => "an answer of another shape".to_owned(),
            },
            Ok(Err(error)) => error.to_string(),
            Err(elapsed) => elapsed.to_string(),
        };
        self.lose(generation, &problem);
        None
    }

    fn lose(&self, generation: u64, problem: &str) {
        let mut state = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if state.generation != generation || state.connection.take().is_none() {
            return;
        }
        drop(state);
        self.is_shared.set(0);
        self.lost.notify_one();
        tracing::warn!(error = problem, "redis is away: this instance counts requests for itself");
    }

    /// Connects, and again whenever the connection is lost, once a second at the most.
    pub async fn keep_connected(&self) {
        loop {
            if !self.connect().await {
                tokio::time::sleep(PATIENCE).await;
                continue;
            }
            self.lost.notified().await;
            tokio::time::sleep(PATIENCE).await;
        }
    }

    /// Connects where there is no connection. Whether there is one then.
    pub async fn connect(&self) -> bool {
        if self.connection.lock().unwrap_or_else(PoisonError::into_inner).connection.is_some() {
            return true;
        }
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(None);
        let connecting = async {
            let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
            // Shows that it answers; and the first request need not send the script.
            tokio::time::timeout(self.timeout.max(PATIENCE / 10), self.script.load_async(&mut connection)).await??;
            anyhow::Ok(connection)
        };
        match connecting.await {
            Ok(connection) => {
                let mut state = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
                state.connection = Some(connection);
                state.generation += 1;
                drop(state);
                self.is_shared.set(1);
                tracing::info!("requests are counted in redis, for all instances together");
                true
            }
            Err(error) => {
                tracing::debug!(error = format!("{error:#}"), "redis cannot be reached");
                false
            }
        }
    }
}
