//! A product with its stock and its vendor, in one answer.

use super::errors::CatalogError;
use super::products::Product;
use crate::access::Access;
use crate::fallback::Fallback;
use crate::ids::{ClinicId, ProductId, VariantId};
use crate::request::{Effect, Request, Rest};
use crate::values::named_values;
use crate::vendor::Vendor;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads a product with what is in stock of it and with its vendor, all at once (document 003, flow 2). Where the vendor
/// cannot be told in time, the rest is answered and the gap is named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct FindProductAvailability {
    /// The product. Document 003 writes `productId`.
    #[serde(alias = "productId")]
    pub id: ProductId,
}

impl Request for FindProductAvailability {
    const SUBJECT: &'static str = "product.availability";
    const ACCESS: Access = Access::PUBLIC;
    const EFFECT: Effect = Effect::Read;
    const FALLBACKS: &'static [Fallback] = &[Fallback::WithoutVendor];
    const REST: &'static [Rest] = &[Rest::get("/products/{id}/availability")];
    type Reply = ProductAvailability;
    type Error = CatalogError;
}

named_values! {
    /// A part of an answer.
    pub enum AvailabilityPart {
        /// The vendor.
        Vendor = "vendor",
    }
}

/// A product with its stock and its vendor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProductAvailability {
    /// The product.
    pub product: Product,
    /// What is in stock of its active variants, at each place that keeps any.
    pub stock: Vec<VariantStock>,
    /// The vendor; null where it could not be told.
    pub vendor: Option<Vendor>,
    /// The parts that could not be told in time; empty where nothing is missing.
    pub missing: Vec<AvailabilityPart>,
}

/// What is in stock of a variant at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VariantStock {
    /// The variant.
    pub variant_id: VariantId,
    /// The clinic that keeps it.
    pub clinic_id: ClinicId,
    /// How many of it can be bought there.
    pub available: i32,
}
