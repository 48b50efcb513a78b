//! Stock: reading and locking it. It is written by [`super::ledger`] alone.

use crate::entity::inventory::{Column, Entity, Model};
use crate::stock_access::Reach;
use sea_orm::sea_query::{Expr, ExprTrait as _, LockType};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, Order, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use serde::{Deserialize, Serialize};
use subjects::catalog::{FindInventory, InventorySort, StockLine, WatchInventory};
use subjects::ids::{InventoryId, VariantId};
use subjects::time::Instant;
use subjects::{Fault, Violation};

/// One stock.
pub async fn find(db: &impl ConnectionTrait, id: InventoryId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// The stock that could serve some lines.
pub async fn that_serves(db: &impl ConnectionTrait, lines: &[StockLine]) -> Result<Vec<Model>, store::Error> {
    Ok(Entity::find().filter(serving(lines)).order_by_asc(Column::Id).all(db).await?)
}

/// The stock within reach that could serve some lines, and the stock with some ids, held against changes by others until
/// the transaction ends. It is locked in the order of its ids, as everybody does.
pub async fn lock(
    db: &impl ConnectionTrait,
    lines: &[StockLine],
    reach: &Reach,
    ids: &[InventoryId],
) -> Result<Vec<Model>, store::Error> {
    let mut wanted = Condition::any();
    if !lines.is_empty() {
        wanted = wanted.add(Condition::all().add(serving(lines)).add(reach.condition()));
    }
    if !ids.is_empty() {
        wanted = wanted.add(Column::Id.is_in(ids.iter().copied()));
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    Ok(Entity::find().filter(wanted).order_by_asc(Column::Id).lock(LockType::NoKeyUpdate).all(db).await?)
}

/// What may serve lines: a variant's stock anywhere, or at the places that are named.
fn serving(lines: &[StockLine]) -> Condition {
    let mut anywhere: Vec<VariantId> = Vec::new();
    let mut at_places = Vec::new();
    for StockLine { variant_id, quantity: _, clinic_id } in lines {
        match clinic_id {
            None => anywhere.push(*variant_id),
            Some(clinic_id) => at_places.push((variant_id.0, clinic_id.0)),
        }
    }
    let mut condition = Condition::any();
    if !anywhere.is_empty() {
        condition = condition.add(Column::VariantId.is_in(anywhere));
    }
    if !at_places.is_empty() {
        let place = Expr::tuple([Expr::col(Column::VariantId), Expr::col(Column::ClinicId)]);
        condition = condition.add(place.in_tuples(at_places));
    }
    condition
}

/// Where a list of stock goes on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListKey {
    /// The order that it has.
    pub sort: InventorySort,
    /// How many the last one has available, where that is the order.
    #[serde(default)]
    pub available: i32,
    /// When the last one changed.
    pub updated_at: Instant,
    /// Its id.
    pub id: InventoryId,
}

impl ListKey {
    /// The place of a list of this order.
    ///
    /// # Errors
    /// A bad request where it is of another order.
    pub fn read(cursor: Option<&str>, sort: InventorySort) -> Result<Option<ListKey>, Fault> {
        let key: Option<ListKey> = store::cursor::decode(cursor)?;
        match key {
            Some(key) if key.sort != sort => {
                Err(Fault::invalid(vec![Violation::new("/cursor", "is of a list in another order")]))
            }
            key => Ok(key),
        }
    }
}

/// The stock within reach that fits, in an order, at most `limit`.
pub async fn list(
    db: &impl ConnectionTrait,
    reach: &Reach,
    filters: &FindInventory,
    sort: InventorySort,
    after: Option<&ListKey>,
    limit: u64,
) -> Result<Vec<Model>, store::Error> {
    // Taken apart in full, so that a new filter has to be applied.
    let FindInventory { product_id, variant_id, clinic_id, vendor_id, low, sort: _, limit: _, cursor: _ } = *filters;
    let is_low = || Expr::col(Column::Available).lte(Expr::col(Column::ReorderLevel));
    let watched = WatchInventory { product_id, variant_id, clinic_id, vendor_id };
    let mut rows = Entity::find()
        .filter(reach.condition())
        .filter(asked_for(&watched))
        .filter(Condition::all().add_option(low.map(|low| if low { is_low() } else { is_low().not() })));
    let id = || Expr::col(Column::Id);
    rows = match sort {
        InventorySort::CreatedAt => rows,
        InventorySort::Available => rows.order_by_asc(Column::Available),
        InventorySort::UpdatedAtDescending => rows.order_by_desc(Column::UpdatedAt),
    };
    let direction = if sort == InventorySort::UpdatedAtDescending { Order::Desc } else { Order::Asc };
    if let Some(ListKey { sort: _, available, updated_at, id: last_id }) = after {
        let last_id = Expr::value(last_id.0);
        let beyond =
            match sort {
                InventorySort::CreatedAt => id().gt(last_id),
                InventorySort::Available => Expr::tuple([Expr::col(Column::Available), id()])
                    .gt(Expr::tuple([Expr::value(*available), last_id])),
                InventorySort::UpdatedAtDescending => Expr::tuple([Expr::col(Column::UpdatedAt), id()])
                    .lt(Expr::tuple([Expr::value(*updated_at), last_id])),
            };
        rows = rows.filter(beyond);
    }
    Ok(rows.order_by(Column::Id, direction).limit(limit).all(db).await?)
}

/// The stock within reach that somebody watches, in the order of its ids, after one of them, at most `limit`.
pub async fn page_of_watched(
    db: &impl ConnectionTrait,
    reach: &Reach,
    watched: &WatchInventory,
    after: Option<InventoryId>,
    limit: u64,
) -> Result<Vec<Model>, store::Error> {
    let rows = Entity::find()
        .filter(reach.condition())
        .filter(asked_for(watched))
        .filter(Condition::all().add_option(after.map(|after| Column::Id.gt(after))));
    Ok(rows.order_by_asc(Column::Id).limit(limit).all(db).await?)
}

/// [`WatchInventory::asks_for`] as SQL.
fn asked_for(watched: &WatchInventory) -> Condition {
    let WatchInventory { product_id, variant_id, clinic_id, vendor_id } = *watched;
    Condition::all()
        .add_option(product_id.map(|id| Column::ProductId.eq(id)))
        .add_option(variant_id.map(|id| Column::VariantId.eq(id)))
        .add_option(clinic_id.map(|id| Column::ClinicId.eq(id)))
        .add_option(vendor_id.map(|id| Column::VendorId.eq(id)))
}
