//! The outbox and its stream.

use crate::relay;
use crate::store::HasStore;
use async_nats::jetstream;
use platform::Cx;
use serde_json::json;
use subjects::Fault;
use subjects::ops::{FindOutboxStatus, OpsError, OutboxStatus, RefillOutbox, RefillOutcome};

/// After how many milliseconds trying again makes sense while the service is starting.
const RETRY_AFTER_MS: u64 = 1_000;

pub(super) async fn status<A: HasStore>(cx: Cx<A>, _request: FindOutboxStatus) -> Result<OutboxStatus, OpsError> {
    Ok(relay::status(cx.app.store(), jetstream_of(&cx)?).await?)
}

pub(super) async fn refill<A: HasStore>(cx: Cx<A>, request: RefillOutbox) -> Result<RefillOutcome, OpsError> {
    if request.cursor.is_none() && !request.dry_run {
        let who = super::who(&cx)?;
        tracing::info!(user.id = who, mode = request.mode.as_str(), "an operator has the outbox refill its stream");
    }
    let RefillOutbox { mode, since, dry_run, cursor: _ } = &request;
    cx.note(|| json!({ "mode": mode, "since": since, "dryRun": dry_run }));
    let outcome = relay::refill(cx.app.store(), jetstream_of(&cx)?, &request).await?;
    if !dry_run {
        let (lost, put_back) = (outcome.lost, outcome.put_back);
        cx.note(|| json!({ "mode": mode, "since": since, "lost": lost, "putBack": put_back }));
        // Rows are put back over a session of its own, some thousand at a time: the entry comes after the last of them.
        cx.app.store().write(&cx, |_tx| async { Ok::<_, Fault>(()) }).await?;
    }
    Ok(outcome)
}

fn jetstream_of<A: HasStore>(cx: &Cx<A>) -> Result<&jetstream::Context, Fault> {
    cx.app.store().inner().jetstream.get().ok_or_else(|| Fault::unavailable(RETRY_AFTER_MS))
}
