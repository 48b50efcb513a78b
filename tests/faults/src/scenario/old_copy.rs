//! An old copy of what JetStream keeps is put back: streams and consumers are as they were some time ago, and nobody is
//! told.

use super::Stage;
use crate::report::seconds;
use anyhow::Context as _;
use std::time::{Duration, Instant};

/// Takes a copy, lets the load go on for a while, and puts the copy back.
///
/// # Errors
/// NATS does not come back.
pub async fn put_old_copy_back(stage: &Stage, age: Duration) -> anyhow::Result<()> {
    let nats = stage.world.stack.nats.as_ref().context("NATS runs elsewhere")?;
    let copy = stage.world.folder().join(format!("old-copy-{}", stage.draw(u64::MAX).await));
    let copied = Instant::now();
    nats.copy_store(&copy).await?;
    stage.until_normal("a copy of the JetStream store is taken", copied).await;
    tokio::time::sleep(age.saturating_sub(copied.elapsed())).await;

    let what = format!("a copy of the JetStream store, {} old, put back", seconds(copied.elapsed()));
    let fault = Instant::now();
    nats.put_store_back(&copy).await?;
    stage.until_normal(&what, fault).await;
    stage.until_heard(&what, fault).await?;
    std::fs::remove_dir_all(&copy).context("cannot remove the copy")
}
