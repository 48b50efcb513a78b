//! The stream of stock as it changes.

use super::errors::CatalogError;
use super::inventory::STOCK_KEEPERS;
use super::stock_events::InventoryState;
use crate::access::Access;
use crate::ids::{ClinicId, ProductId, VariantId, VendorId};
use crate::request::Rest;
use crate::stream::{Stream, StreamItem};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Watches stock: what there is at the places where the caller works, and then every change of it; all of it for those
/// who run the platform.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub struct WatchInventory {
    /// Only of this product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_id: Option<ProductId>,
    /// Only of this variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant_id: Option<VariantId>,
    /// Only at this clinic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clinic_id: Option<ClinicId>,
    /// Only of this vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_id: Option<VendorId>,
}

impl WatchInventory {
    /// Whether a stock is among what is asked for.
    pub fn asks_for(&self, item: &InventoryItem) -> bool {
        // Taken apart in full, so that a new filter has to be applied.
        let WatchInventory { product_id, variant_id, clinic_id, vendor_id } = *self;
        let InventoryItem(stock) = item;
        product_id.is_none_or(|id| id == stock.product_id)
            && variant_id.is_none_or(|id| id == stock.variant_id)
            && clinic_id.is_none_or(|id| id == stock.clinic_id)
            && vendor_id.is_none_or(|id| id == stock.vendor_id)
    }
}

/// The stock of a variant at a place, as it is now or has become.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct InventoryItem(pub InventoryState);

impl StreamItem for InventoryItem {
    fn id(&self) -> Uuid {
        self.0.inventory_id.into()
    }

    fn version(&self) -> i64 {
        self.0.version
    }
}

impl Stream for WatchInventory {
    const SUBJECT: &'static str = "inventory.watch";
    const ALIASES: &'static [&'static str] = &["watchInventoryChanges"];
    const ACCESS: Access = STOCK_KEEPERS;
    const REST: &'static [Rest] = &[Rest::get("/inventory/watch")];
    type Item = InventoryItem;
    type Error = CatalogError;
}
