//! What is known of vendors.

use crate::entity::vendors::{Entity, Model};
use sea_orm::{ConnectionTrait, EntityTrait as _};
use subjects::ids::VendorId;

/// What is known of a vendor.
pub async fn find(db: &impl ConnectionTrait, id: VendorId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).one(db).await?)
}
