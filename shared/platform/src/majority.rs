//! Leaving a NATS server that is cut off from its cluster.
//!
//! Such a server stays with its clients and says nothing: they hear one another and nobody else, and JetStream takes
//! nothing from them. The leader of JetStream, which only most of the nodes together have, answers `$JS.API.INFO`; a
//! client that has no answer for a while looks for another server.

use crate::metrics::Metrics;
use async_nats::Client;
use async_nats::client::ReconnectError;
use async_nats::connection::State;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// What every identity may ask; see [`crate::permissions`].
pub(crate) const ACCOUNT_INFO: &str = "$JS.API.INFO";
/// How often the leader is asked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long it may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);
/// For how long there is no answer before another server is looked for: the nodes may be choosing a leader, which takes
/// them up to nine seconds.
const FIRST_PATIENCE: Duration = Duration::from_secs(10);
/// It doubles up to this while nothing helps: then it is JetStream that is away, and not the others.
const MAX_PATIENCE: Duration = Duration::from_secs(80);
/// How often it is tried to come to another server, before that is left to the next time.
const LEAVING_ATTEMPTS: usize = 8;
/// How long the client may look for a server, before it is left to it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Until the connection ends.
pub(crate) async fn stay_with_it(identity: String, client: Client, metrics: Metrics, ended: CancellationToken) {
    tokio::select! {
        () = ended.cancelled() => {}
        () = leave_servers_without_it(&identity, &client, &metrics) => {}
    }
}

async fn leave_servers_without_it(identity: &str, client: &Client, metrics: &Metrics) {
    let mut patience = FIRST_PATIENCE;
    let mut alone_since: Option<Instant> = None;
    loop {
        sleep(LOOK_EVERY).await;
        let asked_at = Instant::now();
        if client.connection_state() != State::Connected {
            // The client looks for a server by itself.
            alone_since = None;
        } else if is_with_the_majority(client).await {
            alone_since = None;
            patience = FIRST_PATIENCE;
        } else if alone_since.get_or_insert(asked_at).elapsed() >= patience {
            metrics.nats_event("left_server");
            tracing::warn!(nats.identity = identity, "the nats server has no part in its cluster, trying another one");
            if leave(client).await.is_err() {
                return;
            }
            alone_since = None;
            patience = patience.saturating_mul(2).min(MAX_PATIENCE);
        }
    }
}

/// Connects anew until it is another server, where there are several: the client chooses one by chance. An error: the
/// connection is closed for good.
async fn leave(client: &Client) -> Result<(), ReconnectError> {
    let left = client.server_info().server_id;
    let has_others = client.server_pool().await.is_ok_and(|pool| pool.len() > 1);
    for _ in 0..if has_others { LEAVING_ATTEMPTS } else { 1 } {
        client.force_reconnect().await?;
        sleep(LOOK_EVERY).await;
        let connected = timeout(CONNECT_TIMEOUT, async {
            while client.connection_state() != State::Connected {
                sleep(LOOK_EVERY).await;
            }
        });
        if connected.await.is_err() || client.server_info().server_id != left {
            break;
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Answer {
    error: Option<serde::de::IgnoredAny>,
}

async fn is_with_the_majority(client: &Client) -> bool {
    let asked = client.request(ACCOUNT_INFO, "".into());
    let Ok(Ok(message)) = timeout(ANSWER_TIMEOUT, asked).await else { return false };
    // "JetStream system temporarily unavailable" is what a server says that knows of its being alone.
    serde_json::from_slice::<Answer>(&message.payload).is_ok_and(|answer| answer.error.is_none())
}
