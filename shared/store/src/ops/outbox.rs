//! The outbox and its stream.

use crate::relay;
use crate::store::HasStore;
use async_nats::jetstream;
use platform::Cx;
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
    Ok(relay::refill(cx.app.store(), jetstream_of(&cx)?, &request).await?)
}

fn jetstream_of<A: HasStore>(cx: &Cx<A>) -> Result<&jetstream::Context, Fault> {
    cx.app.store().inner().jetstream.get().ok_or_else(|| Fault::unavailable(RETRY_AFTER_MS))
}
