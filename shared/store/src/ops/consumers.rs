//! Consumers.

use super::who;
use crate::store::HasStore;
use crate::work;
use platform::Cx;
use serde_json::json;
use subjects::Page;
use subjects::ops::{ConsumerStatus, FindConsumers, OpsError, PauseConsumer, ResumeConsumer};

pub(super) async fn find_all<A: HasStore>(
    cx: Cx<A>,
    _request: FindConsumers,
) -> Result<Page<ConsumerStatus>, OpsError> {
    let items = work::consumers_status(cx.app.store()).await?;
    Ok(Page { items, next_cursor: None })
}

pub(super) async fn pause<A: HasStore>(cx: Cx<A>, request: PauseConsumer) -> Result<(), OpsError> {
    cx.note(|| json!({ "handler": request.handler }));
    work::pause(&cx, &request).await?;
    tracing::info!(user.id = who(&cx)?, handler = request.handler, "an operator has paused a consumer");
    Ok(())
}

pub(super) async fn resume<A: HasStore>(cx: Cx<A>, request: ResumeConsumer) -> Result<(), OpsError> {
    cx.note(|| json!({ "handler": request.handler }));
    work::resume(&cx, &request).await?;
    tracing::info!(user.id = who(&cx)?, handler = request.handler, "an operator has resumed a consumer");
    Ok(())
}
