//! Read model: vendors, as their events have told.

use crate::entity::vendors::{Column, Entity, Model};
use sea_orm::{ConnectionTrait, EntityTrait as _};
use store::store_if_newer;
use subjects::Fault;
use subjects::ids::VendorId;
use subjects::vendor::VendorState;

/// What is known of a vendor.
pub async fn find(db: &impl ConnectionTrait, id: VendorId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// Keeps what an event tells of a vendor.
///
/// # Errors
/// The database's.
pub async fn store(db: &impl ConnectionTrait, state: VendorState) -> Result<(), Fault> {
    let open_for_business = state.is_open_for_business();
    let VendorState { vendor_id, kind: _, status: _, removed, version } = state;
    let removed_at = removed.then(store::now);
    let row = Model { id: vendor_id, version, removed_at, open_for_business };
    store_if_newer::<Entity, _>(db, row, Column::Id, Column::Version).await?;
    Ok(())
}
