//! Which sessions were ended before their time: every replica hears it from auth's events, and looks it up in memory
//! for each request.

use crate::setup::Setup;
use crate::tail::Tail;
use chrono::TimeDelta;
use identity::tokens::{ACCESS_TOKEN_LIFETIME, MESH_TOKEN_LIFETIME};
use std::time::Duration;
use subjects::auth::SessionRevoked;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A session that was revoked longer ago has no token that holds: an access token that was issued at the last moment, a
/// user token made from it at its last, and clocks that differ.
fn replay() -> Duration {
    (ACCESS_TOKEN_LIFETIME + MESH_TOKEN_LIFETIME + TimeDelta::minutes(2)).to_std().unwrap_or(Duration::from_secs(3600))
}
/// How often entries that no token can need any more are dropped.
const PRUNE_EVERY: Duration = Duration::from_secs(60);

/// Follows `session.revoked` and returns once all that is known has been heard.
pub(crate) async fn follow(setup: &Setup, tasks: &TaskTracker, shutdown: &CancellationToken) -> anyhow::Result<()> {
    let tail = Tail {
        nats: setup.nats.clone(),
        jetstream: setup.jetstream.clone(),
        signals: setup.signals.clone(),
        back: replay(),
        shutdown: shutdown.clone(),
    };
    let (caught_up, until_caught_up) = oneshot::channel();
    let revocations = setup.revocations.clone();
    tasks.spawn(async move {
        tail.follow::<SessionRevoked>(caught_up, |event| {
            revocations.revoke(event.0.session_id, event.0.expires_at);
        })
        .await;
    });
    let (revocations, shutdown) = (setup.revocations.clone(), shutdown.clone());
    tasks.spawn(async move {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(PRUNE_EVERY) => revocations.prune(chrono::Utc::now()),
            }
        }
    });
    let waited = tokio::time::timeout(CAUGHT_UP_TIMEOUT, until_caught_up).await;
    waited.map_err(|_elapsed| {
        anyhow::anyhow!(
            "{}: the stream of revoked sessions cannot be read: is `petpro provision` running, and are the NATS \
             permissions of now (`petpro nats-config`)?",
            setup.name
        )
    })??;
    Ok(())
}

/// How long a starting service waits to have heard of all revoked sessions.
const CAUGHT_UP_TIMEOUT: Duration = Duration::from_secs(30);
