//! The stream of stock as it changes.

use super::errors::CatalogError;
use super::inventory::STOCK_KEEPERS;
use super::stock_events::{InventoryLow, InventoryState};
use crate::access::Access;
use crate::event::Event as _;
use crate::ids::{ClinicId, ProductId, VariantId, VendorId};
use crate::request::Rest;
use crate::stream::{Stream, StreamItem};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Watches stock: what there is at the places where the caller works, and then every change of it; all of it for those
/// who run the platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, Validate)]
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
    /// `inventory.low` comes with an `inventory.changed` of the same version: told, too, it would be a repeat to whoever
    /// goes on from between the two.
    fn from_event(event_type: &str, body: &[u8]) -> Result<Option<InventoryItem>, serde_json::Error> {
        if event_type == InventoryLow::TYPE { Ok(None) } else { serde_json::from_slice(body).map(Some) }
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::InventoryChanged;
    use serde_json::json;

    #[test]
    fn each_version_of_a_stock_is_told_by_one_event() {
        let body = json!({
            "inventoryId": Uuid::nil(), "version": 3, "variantId": Uuid::nil(), "productId": Uuid::nil(),
            "vendorId": Uuid::nil(), "clinicId": Uuid::nil(), "onHand": 5, "reserved": 4, "available": 1,
            "reorderLevel": 2, "updatedAt": "2030-01-01T00:00:00Z",
        });
        let told = |event_type: &str| InventoryItem::from_event(event_type, body.to_string().as_bytes()).unwrap();
        assert_eq!(told(InventoryChanged::TYPE).map(|item| item.version()), Some(3));
        assert_eq!(told(InventoryLow::TYPE), None);
        assert!(InventoryItem::from_event(InventoryChanged::TYPE, b"{}").is_err());
    }
}
