//! What happened at the catalog service. The bodies are full public states with ids only.

use super::parts::{ProductStatus, ProductVariant};
use crate::ids::{CategoryId, ProductId, VendorId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A product as events tell it. Its texts and pictures are read from its service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductState {
    /// The product.
    pub product_id: ProductId,
    /// The vendor that sells it.
    pub vendor_id: VendorId,
    /// The category in which it stands.
    pub category_id: CategoryId,
    /// Its name.
    pub name: String,
    /// Its variants with their prices, in their order.
    pub variants: Vec<ProductVariant>,
    /// Whether it is sold; `archived` in its last event.
    pub status: ProductStatus,
    /// Its version.
    pub version: i64,
}

/// A category as events tell it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CategoryState {
    /// The category.
    pub category_id: CategoryId,
    /// The category above it; absent at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<CategoryId>,
    /// Its name.
    pub name: String,
    /// Its name in addresses.
    pub slug: String,
    /// True in its last event: it is gone.
    #[serde(default)]
    pub removed: bool,
    /// Its version.
    pub version: i64,
}

crate::events! {
    service "catalog";
    body ProductState, id product_id, version version;
    /// A product was made.
    ProductCreated = "product.created", document "ProductCreated";
    /// A product changed, or another of its prices began to hold.
    ProductUpdated = "product.updated", document "ProductUpdated";
    /// A product was archived.
    ProductRemoved = "product.removed";
}

crate::events! {
    service "catalog";
    body CategoryState, id category_id, version version;
    /// A category was made, changed, moved or removed.
    CategoryUpdated = "category.updated", document "CategoryUpdated";
}
