//! Stock: how much of a variant there is at a place, and how it came to be so much.

use super::errors::CatalogError;
use super::stock_values::{InventorySort, MovementReason, StockActor, StockChange};
use crate::access::{Access, MembershipRole, Who};
use crate::ids::{ClinicId, InventoryId, ProductId, ReservationId, StockMovementId, UserId, VariantId, VendorId};
use crate::paging::{MAX_LIMIT, Page};
use crate::request::{Effect, Request, Rest};
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much of a variant there may be at a place.
pub const MAX_ON_HAND: i32 = 1_000_000;

/// Who deals with stock: those who work at the place, and those who run the platform. Every handler checks the
/// membership on the row.
pub(super) const STOCK_KEEPERS: Access = Access(&[Who::Member(MembershipRole::ClinicStaff), Who::Permitted]);

/// The stock of a variant at a place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// Its id.
    pub id: InventoryId,
    /// The variant.
    pub variant_id: VariantId,
    /// Its product.
    pub product_id: ProductId,
    /// The vendor.
    pub vendor_id: VendorId,
    /// The place: one of the vendor's clinics.
    pub clinic_id: ClinicId,
    /// How many pieces are there.
    pub on_hand: i32,
    /// How many of them are promised to somebody.
    pub reserved: i32,
    /// How many can still be promised: those on hand that are not reserved.
    pub available: i32,
    /// With so many available, or fewer, it is time to order more.
    pub reorder_level: i32,
    /// When it last changed.
    pub updated_at: Instant,
    /// Counts its changes.
    pub version: i64,
}

/// Lists stock at the places where the caller works, the oldest entry first unless told; all of it for those who run
/// the platform.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindInventory {
    /// Only of this product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub product_id: Option<ProductId>,
    /// Only of this variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub variant_id: Option<VariantId>,
    /// Only at this clinic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub clinic_id: Option<ClinicId>,
    /// Only of this vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub vendor_id: Option<VendorId>,
    /// True: only what is at its reorder level or below; false: only what is above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub low: Option<bool>,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub sort: Option<InventorySort>,
    /// How many at the most; 20 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = MAX_LIMIT))]
    pub limit: Option<u16>,
    /// The `nextCursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = 500))]
    pub cursor: Option<String>,
}

impl Request for FindInventory {
    const SUBJECT: &'static str = "inventory.findAll";
    const ALIASES: &'static [&'static str] = &["checkInventory"];
    const ACCESS: Access = STOCK_KEEPERS;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/inventory")];
    type Reply = Page<Inventory>;
    type Error = CatalogError;
}

/// Reads the stock of one variant at one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub struct GetInventory {
    /// The stock.
    #[serde(alias = "inventoryId")]
    pub id: InventoryId,
}

impl Request for GetInventory {
    const SUBJECT: &'static str = "inventory.findOne";
    const ACCESS: Access = STOCK_KEEPERS;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/inventory/{id}")];
    type Reply = Inventory;
    type Error = CatalogError;
}

/// Begins to keep a variant in stock at a place. Each variant has one stock at a place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CreateInventory {
    /// The variant.
    #[garde(skip)]
    pub variant_id: VariantId,
    /// The place: a clinic of the vendor.
    #[garde(skip)]
    pub clinic_id: ClinicId,
    /// How many pieces are there; none unless told.
    #[serde(default)]
    #[garde(range(min = 0, max = MAX_ON_HAND))]
    pub on_hand: i32,
    /// With how many available it is time to order more; none unless told.
    #[serde(default)]
    #[garde(range(min = 0, max = MAX_ON_HAND))]
    pub reorder_level: i32,
}

impl Request for CreateInventory {
    const SUBJECT: &'static str = "inventory.create";
    const ACCESS: Access = STOCK_KEEPERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::post("/inventory", 201)];
    type Reply = Inventory;
    type Error = CatalogError;
}

/// Says how much is there now, by a count or by a difference, or sets the reorder level. What is not named stays as it
/// is. What is reserved cannot be taken away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct UpdateInventory {
    /// The stock.
    #[garde(skip)]
    pub id: InventoryId,
    /// How many pieces were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0, max = MAX_ON_HAND))]
    pub on_hand: Option<i32>,
    /// In place of a count: how many pieces came, or, below zero, went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = -MAX_ON_HAND, max = MAX_ON_HAND), custom(not_beside(self.on_hand)))]
    pub change: Option<i32>,
    /// With how many available it is time to order more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0, max = MAX_ON_HAND), custom(something_changes(self.on_hand.or(self.change))))]
    pub reorder_level: Option<i32>,
    /// Why; it stands in the stock's movements.
    #[garde(skip)]
    pub reason: StockChange,
}

fn not_beside(on_hand: Option<i32>) -> impl FnOnce(&Option<i32>, &()) -> garde::Result {
    move |change, (): &()| match (on_hand, change) {
        (Some(_), Some(_)) => Err(garde::Error::new("is given beside onHand: it is one or the other")),
        _ => Ok(()),
    }
}

fn something_changes(pieces: Option<i32>) -> impl FnOnce(&Option<i32>, &()) -> garde::Result {
    move |reorder_level, (): &()| match reorder_level.or(pieces) {
        None => Err(garde::Error::new("is needed where neither onHand nor change is given")),
        Some(_) => Ok(()),
    }
}

impl Request for UpdateInventory {
    const SUBJECT: &'static str = "inventory.update";
    const ACCESS: Access = STOCK_KEEPERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::put("/inventory/{id}")];
    type Reply = Inventory;
    type Error = CatalogError;
}

/// One change of a stock. Movements are only ever added; the changes of a stock come to what it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockMovement {
    /// Its id.
    pub id: StockMovementId,
    /// The stock.
    pub inventory_id: InventoryId,
    /// The stock's version after it.
    pub version: i64,
    /// When.
    pub at: Instant,
    /// Why.
    pub reason: MovementReason,
    /// In what capacity it was done.
    pub actor: StockActor,
    /// The user who did it; absent where a service or the platform did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<UserId>,
    /// The service that did it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The reservation that it belongs to, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation_id: Option<ReservationId>,
    /// How many pieces came or went.
    pub on_hand_change: i32,
    /// How many pieces were promised, or are no more.
    pub reserved_change: i32,
    /// How many pieces were there afterwards.
    pub on_hand: i32,
    /// How many of them were promised.
    pub reserved: i32,
    /// The reorder level from then on.
    pub reorder_level: i32,
}

/// What happened to a stock, the latest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindMovements {
    /// The stock.
    #[garde(skip)]
    pub id: InventoryId,
    /// How many at the most; 20 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = MAX_LIMIT))]
    pub limit: Option<u16>,
    /// The `nextCursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = 500))]
    pub cursor: Option<String>,
}

impl Request for FindMovements {
    const SUBJECT: &'static str = "inventory.movements";
    const ACCESS: Access = STOCK_KEEPERS;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/inventory/{id}/movements")];
    type Reply = Page<StockMovement>;
    type Error = CatalogError;
}
