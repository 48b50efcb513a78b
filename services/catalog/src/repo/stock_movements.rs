//! What happened to stock.

use crate::entity::stock_movements::{Column, Entity, Model};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use subjects::ids::InventoryId;

/// The movements of a stock before one of its versions, the latest first, at most `limit`.
pub async fn list(
    db: &impl ConnectionTrait,
    id: InventoryId,
    before_version: Option<i64>,
    limit: u64,
) -> Result<Vec<Model>, store::Error> {
    let query = Entity::find()
        .filter(Column::InventoryId.eq(id))
        .filter(Condition::all().add_option(before_version.map(|version| Column::Version.lt(version))))
        .order_by_desc(Column::Version)
        .limit(limit);
    Ok(query.all(db).await?)
}
