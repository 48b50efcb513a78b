//! Stock: reading and locking it. It is written by [`super::ledger`] alone.

use crate::entity::inventory::{Column, Entity, Model};
use crate::stock_access::Reach;
use sea_orm::sea_query::{Expr, ExprTrait as _, LockType};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, Order, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use serde_json::json;
use store::keyset::{self, Place};
use subjects::Fault;
use subjects::catalog::{FindInventory, InventorySort, StockLine, WatchInventory};
use subjects::ids::{InventoryId, VariantId};
use subjects::time::Instant;

/// One stock.
pub async fn find(db: &impl ConnectionTrait, id: InventoryId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// What everybody may see: what is sold, by a vendor that is open for business.
const ON_SALE: &str = "variant_id in (
    select variant.id from product_variants as variant join vendors as vendor on vendor.id = variant.vendor_id
    where variant.active and vendor.open_for_business)";

/// The stock that could serve some lines, as far as it may be known to a caller: everything within reach, and elsewhere
/// what is on sale.
pub async fn that_serves(
    db: &impl ConnectionTrait,
    lines: &[StockLine],
    reach: &Reach,
) -> Result<Vec<Model>, store::Error> {
    let may_be_known = Condition::any().add(reach.condition()).add(Expr::cust(ON_SALE));
    Ok(Entity::find().filter(serving(lines)).filter(may_be_known).order_by_asc(Column::Id).all(db).await?)
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

/// Where a list of stock goes on after a row.
pub fn place(sort: InventorySort, last: &Model) -> Place<InventorySort> {
    let value = match sort {
        InventorySort::CreatedAt => json!(null),
        InventorySort::Available => json!(last.available),
        InventorySort::UpdatedAtDescending => json!(last.updated_at),
    };
    Place { sort, value, id: last.id.0 }
}

/// The stock within reach that fits, in an order, and one more than `limit`.
///
/// # Errors
/// A bad request at `/cursor`; the database's.
pub async fn list(
    db: &impl ConnectionTrait,
    reach: &Reach,
    filters: &FindInventory,
    sort: InventorySort,
    after: Option<&Place<InventorySort>>,
    limit: u16,
) -> Result<Vec<Model>, Fault> {
    // Taken apart in full, so that a new filter has to be applied.
    let FindInventory { product_id, variant_id, clinic_id, vendor_id, low, sort: _, limit: _, cursor: _ } = *filters;
    let is_low = || Expr::col(Column::Available).lte(Expr::col(Column::ReorderLevel));
    let watched = WatchInventory { product_id, variant_id, clinic_id, vendor_id };
    let rows = Entity::find()
        .filter(reach.condition())
        .filter(asked_for(&watched))
        .filter(Condition::all().add_option(low.map(|low| if low { is_low() } else { is_low().not() })));
    let rows = match sort {
        InventorySort::CreatedAt => keyset::page_by_id(rows, Column::Id, Order::Asc, after, limit),
        InventorySort::Available => {
            keyset::page::<_, i32, _>(rows, (Column::Available, Column::Id), Order::Asc, after, limit)?
        }
        InventorySort::UpdatedAtDescending => {
            keyset::page::<_, Instant, _>(rows, (Column::UpdatedAt, Column::Id), Order::Desc, after, limit)?
        }
    };
    Ok(rows.all(db).await.map_err(store::Error::from)?)
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
