//! `pet.snapshot`. What was removed leaves no row here.

use crate::repo::snapshots;
use crate::{Cx, convert};
use store::projection::snapshot_page;
use subjects::NoError;
use subjects::profile::{PetSnapshot, PetState};
use subjects::snapshot::{SnapshotItem, SnapshotPage};

/// A page of pets.
pub async fn pets(cx: Cx, request: PetSnapshot) -> Result<SnapshotPage<PetState>, NoError> {
    let PetSnapshot { after, limit } = request;
    let pets = snapshots::pets(cx.app.store.read(), after, limit).await?;
    let page = snapshot_page::<PetSnapshot, _>(pets, limit, |(row, shared_with)| {
        Ok(SnapshotItem { state: convert::pet_state(&row, shared_with), removed: false })
    });
    Ok(page?)
}
