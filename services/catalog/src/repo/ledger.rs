//! Writing what a ledger says: the stock, its movements and its events, in one statement and the outbox.

use crate::convert_stock;
use crate::domain::ledger::{Ledger, Moved};
use crate::entity::{inventory, stock_movements};
use sea_orm::{ConnectionTrait, DbErr};
use serde::Serialize;
use store::{Tx, statement};
use subjects::Fault;
use subjects::catalog::{CatalogError, InventoryChanged, InventoryLow, InventoryState};
use subjects::ids::InventoryId;
use subjects::time::Instant;

/// The rows of `stock_movements` in a JSON array as the statement's first parameter.
macro_rules! insert_movements {
    () => {
        "insert into stock_movements
            (id, inventory_id, version, moved_at, reason, actor, actor_id, service, reservation_id, on_hand_change,
             reserved_change, on_hand, reserved, reorder_level)
        select moved.id, moved.inventory_id, moved.version, moved.moved_at, moved.reason, moved.actor, moved.actor_id,
            moved.service, moved.reservation_id, moved.on_hand_change, moved.reserved_change, moved.on_hand,
            moved.reserved, moved.reorder_level
        from jsonb_to_recordset($1::jsonb) as moved
            (id uuid, inventory_id uuid, version bigint, moved_at timestamptz, reason text, actor text, actor_id uuid,
             service text, reservation_id uuid, on_hand_change integer, reserved_change integer, on_hand integer,
             reserved integer, reorder_level integer)"
    };
}

// The stock is what its last movement leaves. Only the version on which the movements build is replaced: movements of a
// stock that is another by now are not written either, and the count tells.
const SAVE: &str = concat!(
    "with stored as (
        update inventory as stock
        set on_hand = now_is.on_hand, reserved = now_is.reserved, reorder_level = now_is.reorder_level,
            version = now_is.version, updated_at = now_is.updated_at
        from jsonb_to_recordset($2::jsonb) as now_is
            (id uuid, on_hand integer, reserved integer, reorder_level integer, version bigint, updated_at timestamptz,
             builds_on bigint)
        where stock.id = now_is.id and stock.version = now_is.builds_on
        returning stock.id
    ) ",
    insert_movements!(),
    " join stored on stored.id = moved.inventory_id"
);

const OPEN: &str = concat!(
    "with opened as (
        insert into inventory
            (id, variant_id, product_id, vendor_id, clinic_id, on_hand, reserved, reorder_level, version, updated_at)
        values ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ) ",
    insert_movements!()
);

/// A stock as it is to be stored.
#[derive(Serialize)]
struct NowIs {
    id: InventoryId,
    on_hand: i32,
    reserved: i32,
    reorder_level: i32,
    version: i64,
    updated_at: Instant,
    builds_on: i64,
}

/// Stores what has happened to locked stock, and tells it.
///
/// # Errors
/// The database's.
pub async fn save(tx: &Tx, ledger: &Ledger) -> Result<(), Fault> {
    let moved = ledger.moved();
    if moved.is_empty() {
        return Ok(());
    }
    let stock: Vec<NowIs> = ledger.rows().filter_map(|row| now_is(ledger, row)).collect();
    let values = vec![movements_as_json(moved)?.into(), serde_json::to_string(&stock).map_err(Fault::internal)?.into()];
    let written = tx.execute_raw(statement(SAVE, values)).await.map_err(store::Error::from)?.rows_affected();
    if usize::try_from(written) != Ok(moved.len()) {
        return Err(store::Error::from(DbErr::RecordNotUpdated).into());
    }
    for Moved { movement: _, stock, became_low } in moved {
        let state = InventoryState::from(&convert_stock::inventory(stock));
        tx.emit(&InventoryChanged(state.clone())).await?;
        if *became_low {
            tx.emit(&InventoryLow(state)).await?;
        }
    }
    Ok(())
}

/// Stores a new stock with its first movement, and tells it.
///
/// # Errors
/// [`CatalogError::AlreadyInStock`] where the variant has one at the place; [`CatalogError::VariantNotFound`].
pub async fn open(tx: &Tx, row: &inventory::Model, first: stock_movements::Model) -> Result<(), CatalogError> {
    let inventory::Model {
        id,
        variant_id,
        product_id,
        vendor_id,
        clinic_id,
        on_hand,
        reserved,
        // The database reckons it.
        available: _,
        reorder_level,
        version,
        updated_at,
    } = *row;
    let values = vec![
        serde_json::to_string(&[first]).map_err(Fault::internal)?.into(),
        id.into(),
        variant_id.into(),
        product_id.into(),
        vendor_id.into(),
        clinic_id.into(),
        on_hand.into(),
        reserved.into(),
        reorder_level.into(),
        version.into(),
        updated_at.into(),
    ];
    tx.execute_raw(statement(OPEN, values)).await.map_err(|error| {
        let error = store::Error::from(error);
        match error.constraint() {
            Some("inventory_place_key") => CatalogError::AlreadyInStock,
            // It was there when its owner was looked up, and its product has left it out since.
            Some("inventory_variant_fkey") => CatalogError::VariantNotFound,
            _ => Fault::from(error).into(),
        }
    })?;
    tx.emit(&InventoryChanged(InventoryState::from(&convert_stock::inventory(row)))).await?;
    Ok(())
}

/// None: nothing has happened to it.
fn now_is(ledger: &Ledger, row: &inventory::Model) -> Option<NowIs> {
    let builds_on = ledger.version_before(row.id).filter(|before| *before < row.version)?;
    Some(NowIs {
        id: row.id,
        on_hand: row.on_hand,
        reserved: row.reserved,
        reorder_level: row.reorder_level,
        version: row.version,
        updated_at: row.updated_at,
        builds_on,
    })
}

fn movements_as_json(moved: &[Moved]) -> Result<String, Fault> {
    let movements: Vec<&stock_movements::Model> = moved.iter().map(|moved| &moved.movement).collect();
    serde_json::to_string(&movements).map_err(Fault::internal)
}
