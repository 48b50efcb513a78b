//! A consumer that stands still, with events in its hands, for longer than JetStream waits for it.

use super::Stage;
use crate::report::seconds;
use std::time::{Duration, Instant};

/// After this time JetStream gives out an event again that was not acknowledged.
pub const ACK_WAIT: Duration = Duration::from_secs(30);
/// After this time JetStream stores an event again that it has stored before.
pub const DEDUPE_WINDOW: Duration = Duration::from_secs(120);

/// Stops a process (SIGSTOP) for so long, and lets it go on.
///
/// # Errors
/// It does not run.
pub async fn stop_consumer(stage: &Stage, process: &'static str, time: Duration) -> anyhow::Result<()> {
    let what = format!("SIGSTOP of {process} for {}{}", seconds(time), outlived(time));
    stage.world.processes.signal(process, "STOP").await?;
    tokio::time::sleep(time).await;
    let fault = Instant::now();
    stage.world.processes.signal(process, "CONT").await?;
    stage.until_normal(&what, fault).await;
    stage.until_heard(&what, fault).await
}

/// What the stop was longer than.
fn outlived(time: Duration) -> &'static str {
    if time > DEDUPE_WINDOW {
        " (longer than the ack wait and the dedupe window)"
    } else if time > ACK_WAIT {
        " (longer than the ack wait, shorter than the dedupe window)"
    } else {
        " (shorter than the ack wait)"
    }
}
