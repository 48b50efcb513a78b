//! The NATS connection: made in one place, under a service's own identity, with every event of it logged.

use crate::credentials::{self, Credentials};
use crate::majority;
use crate::metrics::Metrics;
use crate::tls::{self, Tls};
use anyhow::Context as _;
use garde::Validate;
use identity::keys::KeyStore;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// How long a process waits for NATS when it starts.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How long one server may take to let a client in.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the server is asked for a sign of life. A connection is dead at the third question without an answer, and
/// the client turns to another server: a machine that has lost the network closes no connection.
const PING_INTERVAL: Duration = Duration::from_secs(3);
/// How long JetStream may take to answer.
const JETSTREAM_TIMEOUT: Duration = Duration::from_secs(5);
/// How many different refused subjects are remembered at the most.
const MAX_REFUSALS: usize = 1024;

/// The section `nats`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct NatsConfig {
    /// Servers, separated by commas. All nodes of a cluster should be named: a client that starts must find one that
    /// runs, and leaves one that is cut off from the others only if it knows of another.
    #[garde(length(min = 1, max = 1024), pattern(r"^(nats|tls)://[^, \t]+([ \t]*,[ \t]*(nats|tls)://[^, \t]+)*$"))]
    pub url: String,
    /// How many copies of each stream the cluster keeps: 1 on one node, 3 in a cluster.
    #[garde(range(min = 1, max = 5))]
    pub replicas: usize,
    /// The size that a stream of events may have, in bytes; the oldest are dropped first.
    #[garde(range(min = 1_048_576))]
    pub stream_bytes: i64,
}

impl Default for NatsConfig {
    fn default() -> NatsConfig {
        NatsConfig { url: "nats://127.0.0.1:4222".to_owned(), replicas: 1, stream_bytes: 1 << 30 }
    }
}

impl NatsConfig {
    /// The address of each server.
    pub fn servers(&self) -> Vec<&str> {
        self.url.split(',').map(str::trim).collect()
    }
}

/// Options of a connection that shows the certificate of `identity` and trusts our own authority only: for who connects
/// otherwise than by [`connect`].
///
/// # Errors
/// There is no certificate.
pub fn secured(
    options: async_nats::ConnectOptions,
    keys: &KeyStore,
    identity: &str,
) -> anyhow::Result<async_nats::ConnectOptions> {
    Tls::new(keys, identity, &[])?.secured(options)
}

/// JetStream over a connection, with a limit on the time that its answers may take.
pub fn jetstream(client: async_nats::Client) -> async_nats::jetstream::Context {
    let mut context = async_nats::jetstream::new(client);
    context.set_timeout(JETSTREAM_TIMEOUT);
    context
}

/// Whether a subject is somebody's inbox. A service answers to nothing else: whoever asks chooses the reply subject,
/// NATS does not hold it against the asker's permissions, and a service may publish more than its answers.
pub fn is_inbox(subject: &str) -> bool {
    subject.starts_with("_INBOX")
}

/// The inbox prefix of an identity. Nobody else may subscribe below it.
pub fn inbox_prefix(identity: &str) -> String {
    format!("_INBOX_{identity}")
}

/// Connects as `identity` with the nkey and the certificate that it has, waiting up to 30 s for a server. Where several
/// are named, the client turns to another one when its own is gone, or is cut off from the rest of its cluster.
///
/// # Errors
/// No server in that time, one that does not know the identity's key, or one whose certificate, or ours, is not as it
/// should be.
pub async fn connect(
    config: &NatsConfig,
    identity: &str,
    keys: &KeyStore,
    metrics: Metrics,
) -> anyhow::Result<(async_nats::Client, ServerSignals)> {
    let tls = Tls::new(keys, identity, &config.servers())?;
    connect_with(config, identity, &Credentials::fixed(keys.nats_seed(identity)?, tls), metrics).await
}

/// [`connect`] with whichever nkey and certificates the identity has at the time: the connection goes over to a new nkey by
/// itself, and shows new certificates when it is made anew. For as long as it lasts, the registries of `keys` are read
/// again every `refresh`.
///
/// # Errors
/// As for [`connect`], or there is no seed.
pub async fn connect_as(
    config: &NatsConfig,
    identity: &str,
    keys: &KeyStore,
    refresh: Duration,
    metrics: Metrics,
) -> anyhow::Result<(async_nats::Client, ServerSignals)> {
    let tls = Tls::new(keys, identity, &config.servers())?;
    let credentials = Credentials::kept(keys, identity, tls)?;
    let (client, signals) = connect_with(config, identity, &credentials, metrics.clone()).await?;
    let ended = signals.0.ended.clone();
    let follow = credentials::follow(config.clone(), refresh, credentials, client.clone(), metrics, ended);
    tokio::spawn(follow);
    Ok((client, signals))
}

async fn connect_with(
    config: &NatsConfig,
    identity: &str,
    credentials: &Credentials,
    metrics: Metrics,
) -> anyhow::Result<(async_nats::Client, ServerSignals)> {
    let signals = ServerSignals::default();
    let started = Instant::now();
    loop {
        match options(identity, credentials, metrics.clone(), signals.clone())?.connect(config.servers()).await {
            Ok(client) => {
                credentials.accepted();
                if config.servers().len() > 1 {
                    let ended = signals.0.ended.clone();
                    tokio::spawn(majority::stay_with_it(identity.to_owned(), client.clone(), metrics, ended));
                }
                return Ok((client, signals));
            }
            Err(error) if tls::problem(&error).is_some() => {
                let problem = tls::problem(&error).map(|problem| problem.to_string()).unwrap_or_default();
                return Err(error).with_context(|| {
                    format!(
                        "no encrypted connection to NATS at {} as {identity} ({problem}): has nats-server the \
                         certificate and the authorities that `petpro keys` has made for it, and was it reloaded?",
                        config.url
                    )
                });
            }
            Err(error) if started.elapsed() < START_TIMEOUT && is_worth_waiting(&error) => {
                tracing::debug!(nats.identity = identity, error = %error, "nats is not there yet");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            Err(error) if is_refusal(&error) && credentials.has_another() => {
                tracing::debug!(nats.identity = identity, "nats does not know this nkey, trying the other one");
            }
            Err(error) => {
                return Err(error).with_context(|| {
                    format!(
                        "cannot connect to NATS at {} as {identity}: is it running (`./just up`), and do its \
                         permissions know this key (`petpro nats-config`)?",
                        config.url
                    )
                });
            }
        }
    }
}

fn is_refusal(error: &async_nats::ConnectError) -> bool {
    error.kind() == async_nats::ConnectErrorKind::AuthorizationViolation
}

fn is_worth_waiting(error: &async_nats::ConnectError) -> bool {
    use async_nats::ConnectErrorKind::{Dns, Io, TimedOut};
    matches!(error.kind(), Io | TimedOut | Dns)
}

fn options(
    identity: &str,
    credentials: &Credentials,
    metrics: Metrics,
    signals: ServerSignals,
) -> anyhow::Result<async_nats::ConnectOptions> {
    let (name, accepted) = (identity.to_owned(), credentials.clone());
    let options = credentials
        .options()?
        .name(identity)
        .custom_inbox_prefix(inbox_prefix(identity))
        .connection_timeout(CONNECTION_TIMEOUT)
        .ping_interval(PING_INTERVAL)
        .request_timeout(None)
        .reconnect_delay_callback(|attempt| {
            let step = Duration::from_millis(20 * (1 << attempt.min(6)));
            step.mul_f64(0.5 + rand::random::<f64>() / 2.0)
        })
        .event_callback(move |event| {
            if matches!(event, async_nats::Event::Connected) {
                accepted.accepted();
            }
            let (name, metrics, signals) = (name.clone(), metrics.clone(), signals.clone());
            async move { observe(&name, event, &metrics, &signals) }
        });
    Ok(options)
}

fn observe(identity: &str, event: async_nats::Event, metrics: &Metrics, signals: &ServerSignals) {
    use async_nats::{Event, ServerError};
    match event {
        Event::Connected => {
            signals.0.connections.send_modify(|connections| *connections += 1);
            tracing::info!(nats.identity = identity, "connected to nats");
        }
        Event::Disconnected => {
            signals.0.disconnections.send_modify(|disconnections| *disconnections += 1);
            metrics.nats_event("disconnected");
            tracing::warn!(nats.identity = identity, "lost the connection to nats, reconnecting");
        }
        Event::SlowConsumer(subscription) => {
            metrics.nats_event("slow_consumer");
            tracing::error!(nats.identity = identity, nats.sid = subscription, "messages dropped: too slow");
        }
        Event::ServerError(ServerError::Other(text)) => {
            metrics.nats_event("server_error");
            signals.record(&text);
            tracing::error!(nats.identity = identity, error = text, "nats refused");
        }
        Event::ServerError(error) => {
            metrics.nats_event("server_error");
            tracing::error!(nats.identity = identity, error = %error, "nats refused");
        }
        Event::LameDuckMode => tracing::warn!(nats.identity = identity, "the nats server is shutting down"),
        Event::ClientError(error) => tracing::warn!(nats.identity = identity, error = %error, "nats client error"),
        Event::Draining | Event::Closed => {
            signals.0.ended.cancel();
            tracing::debug!(nats.identity = identity, event = %event, "nats");
        }
    }
}

/// What the server has told this connection beside messages. NATS answers a forbidden publish with such an event and
/// nothing else; here a waiting request finds out that it was meant.
#[derive(Clone, Default)]
pub struct ServerSignals(Arc<SignalsInner>);

#[derive(Default)]
struct SignalsInner {
    publishes: Mutex<HashMap<String, Instant>>,
    subscriptions: Mutex<Vec<String>>,
    notify: Notify,
    connections: watch::Sender<u64>,
    disconnections: watch::Sender<u64>,
    /// The connection is about to be closed for good.
    ended: CancellationToken,
}

impl ServerSignals {
    fn record(&self, server_error: &str) {
        let lowercase = server_error.to_ascii_lowercase();
        let Some(subject) = quoted(server_error) else { return };
        if lowercase.contains("permissions violation for publish") {
            let mut publishes = lock(&self.0.publishes);
            if publishes.len() >= MAX_REFUSALS {
                publishes.clear();
            }
            publishes.insert(subject, Instant::now());
        } else if lowercase.contains("permissions violation for subscription") {
            let mut subscriptions = lock(&self.0.subscriptions);
            if subscriptions.len() < MAX_REFUSALS {
                subscriptions.push(subject);
            }
        }
        self.0.notify.notify_waiters();
    }

    /// Changes each time that the connection was made anew.
    pub fn connections(&self) -> watch::Receiver<u64> {
        self.0.connections.subscribe()
    }

    /// Changes each time that the connection was lost, some milliseconds before it is tried to make it anew.
    pub fn disconnections(&self) -> watch::Receiver<u64> {
        self.0.disconnections.subscribe()
    }

    /// The subjects that the server has refused to subscribe this connection to.
    pub fn refused_subscriptions(&self) -> Vec<String> {
        lock(&self.0.subscriptions).clone()
    }

    /// The subjects that the server has refused to take a message for from this connection.
    pub fn refused_publishes(&self) -> Vec<String> {
        lock(&self.0.publishes).keys().cloned().collect()
    }

    /// Returns once the server has refused a publish to `subject` after `since`; otherwise never.
    pub async fn refused_publish(&self, subject: &str, since: Instant) {
        loop {
            let notified = self.0.notify.notified();
            tokio::pin!(notified);
            notified.as_mut().enable();
            if lock(&self.0.publishes).get(subject).is_some_and(|refused_at| *refused_at >= since) {
                return;
            }
            notified.await;
        }
    }
}

/// The first text between quotation marks. The server writes it as Go does, with a backslash before a quotation mark
/// that belongs to it: some subjects have such.
fn quoted(server_error: &str) -> Option<String> {
    let mut text = String::new();
    let mut letters = server_error.split_once('"')?.1.chars();
    loop {
        match letters.next()? {
            '"' => return Some(text),
            '\\' => text.push(letters.next()?),
            letter => text.push(letter),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(url: &str) -> Result<Vec<String>, String> {
        let config = NatsConfig { url: url.to_owned(), ..NatsConfig::default() };
        config.validate().map_err(|report| report.to_string())?;
        Ok(config.servers().into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn servers_are_separated_by_commas() {
        assert_eq!(servers("nats://a:4222").unwrap(), ["nats://a:4222"]);
        assert_eq!(servers("nats://a:1,tls://b:2 , nats://c").unwrap(), ["nats://a:1", "tls://b:2", "nats://c"]);
        for wrong in ["", "a:4222", "nats://", "nats://a,", "nats://a,b:2", "nats://a,,nats://b", "nats://a nats://b"] {
            assert!(servers(wrong).is_err(), "{wrong:?}");
        }
    }
}
