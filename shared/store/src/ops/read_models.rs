//! Read models.

use crate::projection;
use crate::store::HasStore;
use platform::Cx;
use serde_json::json;
use subjects::Page;
use subjects::ops::{FindReadModels, OpsError, ReadModelStatus, RebuildOutcome, RebuildReadModel};

pub(super) async fn find_all<A: HasStore>(
    cx: Cx<A>,
    _request: FindReadModels,
) -> Result<Page<ReadModelStatus>, OpsError> {
    Ok(Page { items: projection::list(&*cx.app).await?, next_cursor: None })
}

pub(super) async fn rebuild<A: HasStore>(cx: Cx<A>, request: RebuildReadModel) -> Result<RebuildOutcome, OpsError> {
    let RebuildReadModel { model, cursor } = request;
    if cursor.is_none() {
        tracing::info!(user.id = super::who(&cx)?, read_model.name = model, "an operator has a read model built anew");
    }
    cx.note(|| json!({ "model": model }));
    projection::rebuild_page(&cx, &model, cursor.as_deref()).await
}
