//! What the catalog service tells of stock.

use super::inventory::Inventory;
use crate::events;
use crate::ids::{ClinicId, InventoryId, ProductId, VariantId, VendorId};
use crate::time::Instant;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A stock as other services may know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InventoryState {
    /// The stock.
    pub inventory_id: InventoryId,
    /// Its version after what happened.
    pub version: i64,
    /// The variant.
    pub variant_id: VariantId,
    /// Its product.
    pub product_id: ProductId,
    /// The vendor.
    pub vendor_id: VendorId,
    /// The place.
    pub clinic_id: ClinicId,
    /// How many pieces are there.
    pub on_hand: i32,
    /// How many of them are promised to somebody.
    pub reserved: i32,
    /// How many can still be promised.
    pub available: i32,
    /// With so many available, or fewer, it is time to order more.
    pub reorder_level: i32,
    /// When it last changed.
    pub updated_at: Instant,
}

impl From<&Inventory> for InventoryState {
    fn from(inventory: &Inventory) -> InventoryState {
        // Taken apart in full, so that a new field has to be placed on one side or the other.
        let Inventory {
            id,
            variant_id,
            product_id,
            vendor_id,
            clinic_id,
            on_hand,
            reserved,
            available,
            reorder_level,
            updated_at,
            version,
        } = *inventory;
        InventoryState {
            inventory_id: id,
            version,
            variant_id,
            product_id,
            vendor_id,
            clinic_id,
            on_hand,
            reserved,
            available,
            reorder_level,
            updated_at,
        }
    }
}

events! {
    service "catalog";
    body InventoryState, id inventory_id, version version;
    /// A stock changed: pieces came or went, were reserved or given back, or the reorder level is another. Each version
    /// of a stock is told once.
    InventoryChanged = "inventory.changed", document "InventoryChanged";
    /// What is available has fallen to the reorder level or below, or the level was raised to it: told once each time.
    /// It has the version of the `inventory.changed` that it comes with, and the same body.
    InventoryLow = "inventory.low";
}
