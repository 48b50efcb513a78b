//! Patience with peers.

use anyhow::Context as _;
use std::time::Duration;
use tokio::time::timeout;

/// Bounds a step of a background task, so that a peer that says nothing is as good as gone.
pub(crate) async fn within<T, E>(
    limit: Duration,
    step: impl Future<Output = Result<T, E>>,
    what: &'static str,
) -> anyhow::Result<T>
where
    E: Into<anyhow::Error>,
{
    match timeout(limit, step).await {
        Ok(outcome) => outcome.map_err(Into::into).context(what),
        Err(_elapsed) => Err(anyhow::anyhow!("no answer in time")).context(what),
    }
}
