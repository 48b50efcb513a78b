//! Answers that the edge keeps. One that is made of what another service tells is only used some seconds after the edge has
//! begun to listen to that service: what is measured before is the service and not the cache.

use crate::connection::Connection;
use anyhow::ensure;
use http::HeaderName;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// RFC 9211.
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
/// How long the edge may take until it uses what it keeps.
const PATIENCE: Duration = Duration::from_secs(30);
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Asks until each of these answers comes from the cache.
///
/// # Errors
/// One does not after a while.
pub async fn until_kept(edge: SocketAddr, paths: &[String]) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut connection = Connection::open(edge).await?;
    for path in paths {
        loop {
            let status = connection.get_header(path, CACHE_STATUS).await?;
            if status.contains("; hit") {
                break;
            }
            ensure!(started.elapsed() < PATIENCE, "GET {path} does not come from the cache: `{status}`");
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
    Ok(())
}
