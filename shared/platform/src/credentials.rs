//! By which nkey a connection is known to NATS, and going over to a new one; certificates go along.

use crate::metrics::Metrics;
use crate::nats::{NatsConfig, inbox_prefix};
use crate::tls::Tls;
use async_nats::{Auth, AuthError, Client};
use identity::keys::{KeyStore, NatsSeed};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Replicas go over at different times, within so many looks at the registry.
const SPREAD: f64 = 2.0;
/// A server that does not know the new key is asked again after so many looks.
const LOOKS_UNTIL_ASKED_AGAIN: u32 = 6;
/// How long a server may take to let somebody in.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// The nkey and the certificate of one connection. Clones are of the same connection.
#[derive(Clone)]
pub(crate) struct Credentials {
    source: Source,
    tls: Tls,
    state: Arc<Mutex<State>>,
}

#[derive(Clone)]
enum Source {
    Fixed(SecretString),
    Kept { keys: KeyStore, identity: String },
}

#[derive(Default)]
struct State {
    /// Those that could be read last: a running process does not depend on its files.
    seeds: Vec<NatsSeed>,
    /// How often it was tried to connect since it last succeeded.
    attempts: usize,
    tried: Option<String>,
    connected: Option<String>,
}

impl Credentials {
    pub(crate) fn fixed(seed: SecretString, tls: Tls) -> Credentials {
        Credentials { source: Source::Fixed(seed), tls, state: Arc::default() }
    }

    /// Whichever nkey the identity has at the time.
    pub(crate) fn kept(keys: &KeyStore, identity: &str, tls: Tls) -> anyhow::Result<Credentials> {
        let source = Source::Kept { keys: keys.clone(), identity: identity.to_owned() };
        let state = State { seeds: keys.nats_seeds(identity)?, ..State::default() };
        Ok(Credentials { source, tls, state: Arc::new(Mutex::new(state)) })
    }

    pub(crate) fn options(&self) -> anyhow::Result<async_nats::ConnectOptions> {
        let credentials = self.clone();
        let options = match &self.source {
            Source::Fixed(seed) => async_nats::ConnectOptions::with_nkey(seed.expose_secret().to_owned()),
            Source::Kept { .. } => async_nats::ConnectOptions::with_auth_callback(move |nonce| {
                let signed = credentials.sign(&nonce);
                async move { signed }
            }),
        };
        self.tls.secured(options)
    }

    /// Whether a server that has refused one nkey is to be asked with the other one.
    pub(crate) fn has_another(&self) -> bool {
        let state = self.state();
        state.seeds.len() > 1 && state.attempts < 2 * state.seeds.len()
    }

    /// The server has let the connection in.
    pub(crate) fn accepted(&self) {
        let mut state = self.state();
        state.attempts = 0;
        state.connected = state.tried.clone();
    }

    /// Signs with the nkey that is in use; at every second attempt, while keys are rotated, with the other one: the server
    /// may not have been told of the new one yet, or have been told already that the old one has left.
    fn sign(&self, nonce: &[u8]) -> Result<Auth, AuthError> {
        let read = match &self.source {
            Source::Kept { keys, identity } => keys.nats_seeds(identity).unwrap_or_else(|error| {
                tracing::error!(nats.identity = identity, error = %error, "cannot read the nkey, using the one before");
                Vec::new()
            }),
            Source::Fixed(_) => Vec::new(),
        };
        let mut state = self.state();
        if !read.is_empty() {
            state.seeds = read;
        }
        let turn = state.attempts.checked_rem(state.seeds.len()).unwrap_or_default();
        let seed = state.seeds.get(turn).cloned().ok_or_else(|| AuthError::new("there is no nkey"))?;
        state.attempts += 1;
        state.tried = Some(seed.key.clone());
        let mut auth = Auth::new();
        auth.signature = Some(seed.sign(nonce).ok_or_else(|| AuthError::new("the nkey cannot sign"))?);
        auth.nkey = Some(seed.key);
        Ok(auth)
    }

    /// The seed to go over to, if another one is in use than this connection was made with.
    fn wanted(&self) -> Option<NatsSeed> {
        let Source::Kept { keys, identity } = &self.source else { return None };
        let connected = self.state().connected.clone()?;
        let active = keys.nats_registry().active(identity, chrono::Utc::now())?;
        if active.key == connected {
            return None;
        }
        keys.nats_seeds(identity).ok()?.into_iter().find(|seed| seed.key == active.key)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the registries of keys again and again, and has the connection go over to a new nkey once the server knows it.
/// Until the connection ends.
pub(crate) async fn follow(
    config: NatsConfig,
    refresh: Duration,
    credentials: Credentials,
    client: Client,
    metrics: Metrics,
    ended: CancellationToken,
) {
    let (tls, identity) = (&credentials.tls, credentials.tls.identity());
    let look = async {
        let mut ask_again_at = Instant::now();
        let mut complaint = None;
        loop {
            tls.tell(&metrics);
            sleep(refresh).await;
            complaint = read_again(tls, complaint).await;
            let Some(wanted) = credentials.wanted() else { continue };
            if Instant::now() < ask_again_at {
                continue;
            }
            if lets_in(&config, tls, &wanted).await {
                // Not all replicas at once.
                sleep(refresh.mul_f64(rand::random::<f64>() * SPREAD)).await;
                tracing::info!(nats.identity = identity, nats.nkey = wanted.key, "connecting anew with the next nkey");
                if client.force_reconnect().await.is_err() {
                    return;
                }
            } else {
                tracing::warn!(
                    nats.identity = identity,
                    nats.nkey = wanted.key,
                    "nats does not know the next nkey yet: write its users anew (`petpro nats-config`) and reload it"
                );
            }
            ask_again_at = Instant::now() + refresh * LOOKS_UNTIL_ASKED_AGAIN;
        }
    };
    tokio::select! {
        () = ended.cancelled() => {}
        () = look => {}
    }
}

/// What is wrong, if anything is. It is said once, and not each time.
async fn read_again(tls: &Tls, said: Option<String>) -> Option<String> {
    let (identity, reading) = (tls.identity(), tls.clone());
    let read = move || {
        let is_new = reading.keys().refresh()?;
        reading.read_again()?;
        anyhow::Ok(is_new)
    };
    let problem = match tokio::task::spawn_blocking(read).await {
        Ok(Ok(is_new)) => {
            if is_new {
                tracing::info!(nats.identity = identity, "the registries of keys have changed");
            }
            return None;
        }
        Ok(Err(error)) => format!("{error:#}"),
        Err(panic) => panic.to_string(),
    };
    if said.as_ref() != Some(&problem) {
        tracing::error!(nats.identity = identity, error = problem, "cannot read the keys again, using those before");
    }
    Some(problem)
}

/// Tries a connection of its own, so that the one that works is not given up for one that would be refused.
async fn lets_in(config: &NatsConfig, tls: &Tls, seed: &NatsSeed) -> bool {
    let identity = tls.identity();
    let options = async_nats::ConnectOptions::with_nkey(seed.seed.expose_secret().to_owned())
        .name(format!("{identity} (next nkey)"))
        .custom_inbox_prefix(inbox_prefix(identity))
        .connection_timeout(PROBE_TIMEOUT)
        .max_reconnects(1);
    let Ok(options) = tls.secured(options) else { return false };
    match tokio::time::timeout(PROBE_TIMEOUT, options.connect(config.servers())).await {
        Ok(Ok(client)) => {
            // It has said what it was made for; its end takes care of itself.
            let _closed_anyway = client.drain().await;
            true
        }
        _ => false,
    }
}
