//! `inventory.findAll`, `inventory.findOne`, `inventory.movements`, `inventory.create` and `inventory.update`.

use crate::domain::ledger::{Step, movement};
use crate::entity::inventory;
use crate::repo::stock_variants::VariantOwner;
use crate::stock_access::{self, Reach};
use crate::{Cx, convert_stock, repo, stock_lock};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use store::HasStore as _;
use store::keyset::Place;
use subjects::catalog::{
    CatalogError, CreateInventory, FindInventory, FindMovements, GetInventory, Inventory, InventorySort,
    MovementReason, StockMovement, UpdateInventory,
};
use subjects::ids::{ClinicId, InventoryId, VariantId, VendorId};
use subjects::vendor::{FindClinic, VendorError};
use subjects::{Fault, Page};
use uuid::Uuid;

/// The stock where the caller works.
pub async fn find_all(cx: Cx, request: FindInventory) -> Result<Page<Inventory>, CatalogError> {
    let place = request.clinic_id.map(Uuid::from).or(request.vendor_id.map(Uuid::from));
    if let Some(place) = place {
        cx.concerns(place);
    }
    let db = cx.app.store().read();
    let reach = Reach::of_user(db, cx.caller()).await?;
    let sort = request.sort.unwrap_or(InventorySort::CreatedAt);
    let after = Place::read(request.cursor.as_deref(), sort)?;
    let limit = store::cursor::limit(request.limit);
    let rows = repo::inventory::list(db, &reach, &request, sort, after.as_ref(), limit).await?;
    let page = store::page(rows, limit, |last| repo::inventory::place(sort, last));
    Ok(page.map(|row| convert_stock::inventory(&row)))
}

/// One stock.
pub async fn find_one(cx: Cx, request: GetInventory) -> Result<Inventory, CatalogError> {
    let db = cx.app.store().read();
    let reach = Reach::of_user(db, cx.caller()).await?;
    Ok(convert_stock::inventory(&seen(db, &reach, request.id).await?))
}

/// A stock that the caller may see.
async fn seen(db: &impl ConnectionTrait, reach: &Reach, id: InventoryId) -> Result<inventory::Model, CatalogError> {
    let row = repo::inventory::find(db, id).await?.filter(|row| reach.covers_stock(row));
    row.ok_or(CatalogError::InventoryNotFound)
}

/// Where a list of movements goes on.
#[derive(Serialize, Deserialize)]
struct MovementsKey {
    version: i64,
}

/// What happened to a stock.
pub async fn movements(cx: Cx, request: FindMovements) -> Result<Page<StockMovement>, CatalogError> {
    let db = cx.app.store().read();
    let reach = Reach::of_user(db, cx.caller()).await?;
    let stock = seen(db, &reach, request.id).await?;
    let before: Option<MovementsKey> = store::cursor::decode(request.cursor.as_deref())?;
    let limit = store::cursor::limit(request.limit);
    let before_version = before.map(|key| key.version);
    let rows = repo::stock_movements::list(db, stock.id, before_version, u64::from(limit) + 1).await?;
    let page = store::page(rows, limit, |last| MovementsKey { version: last.version });
    Ok(page.map(convert_stock::movement))
}

/// Begins to keep a variant in stock at a place.
pub async fn create(cx: Cx, request: CreateInventory) -> Result<Inventory, CatalogError> {
    // Before the transaction, since another service may have to be asked; a refusal is only given inside.
    let owner = owner(&cx, request.variant_id, request.clinic_id).await;
    let (cx, request, owner) = (&cx, &request, &owner);
    let made = cx.app.store().keyed(cx, request, |tx| async move {
        let VariantOwner { product_id, vendor_id } = owner.clone()?;
        let CreateInventory { variant_id, clinic_id, on_hand, reorder_level } = *request;
        let row = inventory::Model {
            id: InventoryId::new(),
            variant_id,
            product_id,
            vendor_id,
            clinic_id,
            on_hand,
            reserved: 0,
            available: on_hand,
            reorder_level,
            version: 1,
            updated_at: store::now(),
        };
        let reason = MovementReason::Opened;
        let step = Step { reason, reservation_id: None, on_hand, reserved: 0, reorder_level: Some(reorder_level) };
        let first = movement(&row, step, &stock_access::actor_of_user(cx.caller())?);
        repo::ledger::open(&tx, &row, first).await?;
        Ok(convert_stock::inventory(&row))
    });
    made.await
}

/// Whose a variant is that the caller may keep in stock at a clinic of its vendor.
async fn owner(cx: &Cx, variant_id: VariantId, clinic_id: ClinicId) -> Result<VariantOwner, CatalogError> {
    let db = cx.app.store().read();
    let reach = Reach::of_user(db, cx.caller()).await?;
    let found = repo::stock_variants::owner_of(db, variant_id).await?;
    let owner = found.filter(|owner| reach.touches(owner.vendor_id)).ok_or(CatalogError::VariantNotFound)?;
    if !reach.covers(owner.vendor_id, clinic_id) {
        return Err(Fault::forbidden().into());
    }
    if !reach.names(owner.vendor_id, clinic_id) {
        check_clinic(cx, owner.vendor_id, clinic_id).await?;
    }
    Ok(owner)
}

/// That a clinic is the vendor's. Only its own service knows that of all clinics; where the caller's membership is for
/// this very clinic, it has said so already.
async fn check_clinic(cx: &Cx, vendor_id: VendorId, clinic_id: ClinicId) -> Result<(), CatalogError> {
    match cx.call(&FindClinic { id: clinic_id }).await {
        Ok(clinic) if clinic.vendor_id == vendor_id => Ok(()),
        Ok(_) | Err(VendorError::ClinicNotFound) => Err(CatalogError::ClinicNotFound),
        Err(VendorError::Fault(fault)) => Err(fault.into()),
        Err(other) => Err(Fault::internal(other).into()),
    }
}

/// Says how much is there now.
pub async fn update(cx: Cx, request: UpdateInventory) -> Result<Inventory, CatalogError> {
    let expected = cx.expected_version()?;
    let (cx, request) = (&cx, &request);
    let changed = cx.app.store().keyed(cx, request, |tx| async move {
        let reach = Reach::of_user(&tx, cx.caller()).await?;
        let id = seen(&tx, &reach, request.id).await?.id;
        let mut ledger = stock_lock::for_moving(&tx, &[], &reach, &[id]).await?;
        store::expect_version(expected, ledger.version_before(id).ok_or(CatalogError::InventoryNotFound)?)?;

        let UpdateInventory { id: _, on_hand, change, reorder_level, reason } = *request;
        let there = ledger.row(id).map_or(0, |row| row.on_hand);
        let difference = on_hand.map(|counted| counted - there).or(change).unwrap_or_default();
        let reason = MovementReason::from(reason);
        let step = Step { reason, reservation_id: None, on_hand: difference, reserved: 0, reorder_level };
        ledger.apply(id, step, &stock_access::actor_of_user(cx.caller())?)?;
        repo::ledger::save(&tx, &ledger).await?;
        let row = ledger.row(id).ok_or(CatalogError::InventoryNotFound)?;
        Ok(convert_stock::inventory(row))
    });
    changed.await
}
