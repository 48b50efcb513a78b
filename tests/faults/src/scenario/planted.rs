//! Faults that a platform without mistakes survives, and one with a certain mistake cannot.

use super::Stage;
use anyhow::Context as _;
use std::time::{Duration, Instant};

/// How long effects are kept from being committed, or events from being heard.
const MEANWHILE: Duration = Duration::from_secs(4);

/// Kills the ledger while its transactions wait for a lock: what it was given and has not committed has to come again.
///
/// # Errors
/// The ledger does not come back.
pub async fn break_commit(stage: &Stage) -> anyhow::Result<()> {
    let mut lock = stage.world.database().await?;
    sqlx::raw_sql("begin; lock table ledger.effects in access exclusive mode").execute(&mut lock).await?;
    tokio::time::sleep(MEANWHILE).await;
    let fault = Instant::now();
    stage.world.processes.kill("ledger-1").await?;
    sqlx::raw_sql("rollback").execute(&mut lock).await?;
    stage.world.processes.start("ledger-1").await?;
    stage.until_normal("kill -9 of the ledger before its commits", fault).await;
    Ok(())
}

/// Deletes the JetStream store while it holds events that the ledger, which stands still, has not heard.
///
/// # Errors
/// NATS does not come back.
pub async fn forget_unheard(stage: &Stage) -> anyhow::Result<()> {
    stage.world.processes.signal("ledger-1", "STOP").await?;
    tokio::time::sleep(MEANWHILE).await;
    let fault = Instant::now();
    let nats = stage.world.stack.nats.as_ref().context("NATS runs elsewhere")?;
    nats.wipe_store().await?;
    stage.world.processes.signal("ledger-1", "CONT").await?;
    stage.until_normal("JetStream store deleted before the ledger had heard all", fault).await;
    Ok(())
}
