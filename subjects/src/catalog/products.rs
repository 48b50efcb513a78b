//! Products, and the variants in which they are sold.

use super::errors::CatalogError;
use super::parts::{NewVariant, ProductImage, ProductOption, ProductStatus, ProductVariant};
use super::{Attributes, WRITERS, attributes};
use crate::access::Access;
use crate::cache::{Cache, Tag};
use crate::ids::{CategoryId, ProductId, VendorId};
use crate::request::{Effect, Request, Rest};
use crate::rules;
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// The vendor that sells it.
    pub vendor_id: VendorId,
    /// The category in which it stands.
    pub category_id: CategoryId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Its brand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// Its attributes.
    pub attributes: Attributes,
    /// Its pictures, in their order.
    pub images: Vec<ProductImage>,
    /// In what its variants differ.
    pub options: Vec<ProductOption>,
    /// Its variants, in their order. Those that are not sold any more stay with it, as inactive.
    pub variants: Vec<ProductVariant>,
    /// Whether it is sold.
    pub status: ProductStatus,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// Counts its changes, among them those of its current prices as time goes on.
    pub version: i64,
}

/// Reads one product. Those of vendors that are not open for business, and archived ones, are only there for the
/// vendor's members and platform admins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct FindProduct {
    /// The product. Document 003 writes `productId`.
    #[serde(alias = "productId")]
    pub id: ProductId,
}

impl Request for FindProduct {
    const SUBJECT: &'static str = "product.findOne";
    const ALIASES: &'static [&'static str] = &["getProduct"];
    const ACCESS: Access = Access::SHOWN;
    const EFFECT: Effect = Effect::Read;
    const CACHE: Option<Cache> = Some(Cache {
        made_of: &[Tag::One { entity: "product", id_field: "id" }, Tag::One { entity: "vendor", id_field: "vendorId" }],
    });
    const REST: &'static [Rest] = &[Rest::get("/products/{id}")];
    type Reply = Product;
    type Error = CatalogError;
}

/// Adds a product to a vendor's, with all of its variants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CreateProduct {
    /// The vendor that sells it.
    #[garde(skip)]
    pub vendor_id: VendorId,
    /// The category in which it stands.
    #[garde(skip)]
    pub category_id: CategoryId,
    /// Its name.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 160), custom(rules::readable))]
    pub name: String,
    /// What it is.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 8_000), custom(rules::readable))]
    pub description: String,
    /// Its brand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 80), custom(rules::readable_if_present))]
    pub brand: Option<String>,
    /// Its attributes, as its category wants them.
    #[serde(default)]
    #[garde(custom(attributes::bounded))]
    pub attributes: Attributes,
    /// Its pictures, in their order.
    #[serde(default)]
    #[garde(length(max = 12), dive)]
    pub images: Vec<ProductImage>,
    /// In what its variants differ; without, there is one variant.
    #[serde(default)]
    #[garde(length(max = 3), dive)]
    pub options: Vec<ProductOption>,
    /// Its variants, in their order.
    #[garde(length(min = 1, max = 100), dive)]
    pub variants: Vec<NewVariant>,
}

impl Request for CreateProduct {
    const SUBJECT: &'static str = "product.create";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::post("/products", 201)];
    type Reply = Product;
    type Error = CatalogError;
}

/// Replaces what is known of a product, its variants among it. A variant keeps its id where it is named by the id or has
/// the same SKU. A variant that is left out is removed or, where it has or had stock, stays as inactive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct UpdateProduct {
    /// The product.
    #[garde(skip)]
    pub id: ProductId,
    /// The category in which it stands.
    #[garde(skip)]
    pub category_id: CategoryId,
    /// Its name.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 160), custom(rules::readable))]
    pub name: String,
    /// What it is.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 8_000), custom(rules::readable))]
    pub description: String,
    /// Its brand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 80), custom(rules::readable_if_present))]
    pub brand: Option<String>,
    /// Its attributes, as its category wants them.
    #[serde(default)]
    #[garde(custom(attributes::bounded))]
    pub attributes: Attributes,
    /// Its pictures, in their order.
    #[serde(default)]
    #[garde(length(max = 12), dive)]
    pub images: Vec<ProductImage>,
    /// In what its variants differ; without, there is one variant.
    #[serde(default)]
    #[garde(length(max = 3), dive)]
    pub options: Vec<ProductOption>,
    /// Its variants, in their order.
    #[garde(length(min = 1, max = 100), dive)]
    pub variants: Vec<NewVariant>,
}

impl Request for UpdateProduct {
    const SUBJECT: &'static str = "product.update";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::put("/products/{id}")];
    type Reply = Product;
    type Error = CatalogError;
}

/// Archives a product for good: it is not sold, found or changed any more. Its SKUs are free again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct RemoveProduct {
    /// The product.
    pub id: ProductId,
}

impl Request for RemoveProduct {
    const SUBJECT: &'static str = "product.remove";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::delete("/products/{id}", 204)];
    type Reply = ();
    type Error = CatalogError;
}
