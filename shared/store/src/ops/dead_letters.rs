//! Dead letters.

use super::who;
use crate::dead_letters;
use crate::store::HasStore;
use platform::Cx;
use serde_json::json;
use subjects::Page;
use subjects::ops::{
    DeadLetter, DeadLetterDetails, DropDeadLetters, DropOutcome, FindDeadLetter, FindDeadLetters, OpsError,
    ReplayDeadLetters, ReplayOutcome,
};

pub(super) async fn find_all<A: HasStore>(cx: Cx<A>, request: FindDeadLetters) -> Result<Page<DeadLetter>, OpsError> {
    dead_letters::find_all(cx.app.store(), &request).await
}

pub(super) async fn find_one<A: HasStore>(cx: Cx<A>, request: FindDeadLetter) -> Result<DeadLetterDetails, OpsError> {
    dead_letters::find_one(cx.app.store(), &request).await
}

pub(super) async fn replay<A: HasStore>(cx: Cx<A>, request: ReplayDeadLetters) -> Result<ReplayOutcome, OpsError> {
    if let Some(event_id) = request.event_id {
        cx.concerns(event_id);
    }
    let letters = dead_letters::meant(cx.app.store(), &request).await?;
    let ReplayDeadLetters { handler, event_type, dry_run, .. } = &request;
    // What comes of each is not known yet when the first transaction is committed, and the entry with it.
    cx.note(|| json!({ "handler": handler, "eventType": event_type, "dryRun": dry_run, "letters": letters }));
    let outcome = dead_letters::replay(&cx, &request).await?;
    if !request.dry_run {
        let (who, ReplayOutcome { replayed, failed, left, .. }) = (who(&cx)?, &outcome);
        tracing::info!(user.id = who, replayed, failed, left, "an operator has dead letters handled again");
    }
    Ok(outcome)
}

pub(super) async fn drop_letters<A: HasStore>(cx: Cx<A>, request: DropDeadLetters) -> Result<DropOutcome, OpsError> {
    if let Some(event_id) = request.event_id {
        cx.concerns(event_id);
    }
    dead_letters::drop_letters(&cx, &request, &who(&cx)?).await
}
