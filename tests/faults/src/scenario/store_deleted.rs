//! All that JetStream keeps is deleted under load.

use super::Stage;
use anyhow::Context as _;
use std::time::Instant;

/// Kills nats-server, deletes its store, starts it again, and waits until every event is there again and heard.
///
/// # Errors
/// NATS does not come back.
pub async fn delete_store(stage: &Stage) -> anyhow::Result<()> {
    let what = "JetStream store deleted";
    let fault = Instant::now();
    stage.world.stack.nats.as_ref().context("NATS runs elsewhere")?.wipe_store().await?;
    stage.until_normal(what, fault).await;
    stage.until_heard(what, fault).await
}
