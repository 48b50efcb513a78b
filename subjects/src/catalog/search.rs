//! Finding products, and counting what there is among them.

use super::errors::CatalogError;
use super::parts::ProductStatus;
use crate::access::Access;
use crate::ids::{CategoryId, ProductId, VendorId};
use crate::money::Money;
use crate::paging::MAX_LIMIT;
use crate::request::{Effect, Request, Rest};
use crate::rules;
use crate::time::Instant;
use crate::values::named_values;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Among how many products that fit their counts are taken, and their relevance is judged, at the most.
pub const MAX_COUNTED: u32 = 2_000;

named_values! {
    /// The order of a list of products.
    pub enum ProductSort {
        /// Those that fit the words best first; only where there are words.
        Relevance = "relevance",
        /// The cheapest first.
        Price = "price",
        /// The dearest first.
        PriceDescending = "-price",
        /// The latest made first.
        CreatedAtDescending = "-createdAt",
    }
}

/// Finds products that are sold, by words, category, vendor, price, attributes, and whether they are in stock; the best
/// fit first where there are words, else the newest.
///
/// All of the words have to be found, in the name, the brand, the category or the description, in Indonesian and English
/// word forms; a word that no product has is taken for the ones most like it. What a vendor that is not open for business
/// sells is only found by its members and platform admins. Archived products are read by their id alone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindProducts {
    /// Words; typing errors are forgiven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 100), custom(rules::readable_if_present))]
    pub text: Option<String>,
    /// Only in this category and those below it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub category_id: Option<CategoryId>,
    /// Only of this vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub vendor_id: Option<VendorId>,
    /// Only those whose cheapest variant costs this or more, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0, max = 1_000_000_000_000_i64))]
    pub price_min: Option<i64>,
    /// Only those whose cheapest variant costs this or less, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0, max = 1_000_000_000_000_i64))]
    pub price_max: Option<i64>,
    /// Only with these attributes, each written `name:value`. Of several values of one name, any does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(inner(regex(pattern = ATTRIBUTE_FILTER)))]
    #[garde(length(max = 10), inner(length(chars, min = 3, max = 241), custom(attribute_filter)))]
    pub attributes: Vec<String>,
    /// Only those of which something is in stock, or only those of which nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub available: Option<bool>,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub sort: Option<ProductSort>,
    /// Whether to count what there is among all that fit, too; true unless told. Never with a cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub facets: Option<bool>,
    /// How many at the most; 20 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = MAX_LIMIT))]
    pub limit: Option<u16>,
    /// The `nextCursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = 500))]
    pub cursor: Option<String>,
}

/// What [`attribute_filter`] takes, as a pattern for the schema (ECMA-262).
const ATTRIBUTE_FILTER: &str = r"^[^\u0000-\u0008\u000B\u000C\u000E-\u001F:\u007F-\u009F]+:[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]+$";

fn attribute_filter(filter: &str, context: &()) -> garde::Result {
    rules::readable(filter, context)?;
    match filter.split_once(':') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok(()),
        _ => Err(garde::Error::new("must be a name and a value with a colon between them")),
    }
}

impl Request for FindProducts {
    const SUBJECT: &'static str = "product.findAll";
    const ACCESS: Access = Access::SHOWN;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/products")];
    type Reply = ProductPage;
    type Error = CatalogError;
}

/// A product in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductSummary {
    /// Its id.
    pub id: ProductId,
    /// The vendor that sells it.
    pub vendor_id: VendorId,
    /// The category in which it stands.
    pub category_id: CategoryId,
    /// Its name.
    pub name: String,
    /// Its brand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// Where its first picture is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// What its cheapest variant costs; absent where no variant can be bought now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_from: Option<Money>,
    /// What its dearest variant costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_to: Option<Money>,
    /// Whether anything of it is in stock anywhere.
    pub available: bool,
    /// Whether it is sold.
    pub status: ProductStatus,
    /// When it was made.
    pub created_at: Instant,
    /// Counts its changes.
    pub version: i64,
}

/// A part of a list of products. Where `next_cursor` is present, asking again with it as `cursor` gives the next part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductPage {
    /// The products, in the list's order. A list by relevance ends after 2,000.
    pub items: Vec<ProductSummary>,
    /// Opaque; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// What there is among all that fit; absent with a cursor, and where it was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facets: Option<ProductFacets>,
}

/// What there is among all products that fit.
///
/// Those of vendors, prices, attributes and stock each count as if the question did not narrow down that very thing: with
/// one vendor chosen, the other vendors' counts tell what choosing them instead would give. Categories are counted within
/// the chosen one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductFacets {
    /// How many products fit.
    pub total: u32,
    /// Whether the counts are exact: false where more than 2,000 products have the words and the category, and the
    /// counts are those among 2,000 of them.
    pub exact: bool,
    /// How many there are in each category, those in the categories below it among them; the most first, at most 100.
    pub categories: Vec<CategoryCount>,
    /// How many there are of each vendor; the most first, at most 50.
    pub vendors: Vec<VendorCount>,
    /// How many have which value of the attributes that their categories have made filterable.
    pub attributes: Vec<AttributeFacet>,
    /// How many cost what: the cheapest variant counts.
    pub prices: Vec<PriceCount>,
    /// How many are in stock.
    pub available: AvailabilityCount,
}

/// How many products are in a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CategoryCount {
    /// The category.
    pub category_id: CategoryId,
    /// Its name.
    pub name: String,
    /// How many.
    pub count: u32,
}

/// How many products are of a vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VendorCount {
    /// The vendor.
    pub vendor_id: VendorId,
    /// How many.
    pub count: u32,
}

/// The values of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AttributeFacet {
    /// The attribute.
    pub name: String,
    /// Its values; the most frequent first, at most 30.
    pub values: Vec<ValueCount>,
}

/// How many products have a value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ValueCount {
    /// The value, as a filter writes it.
    pub value: String,
    /// How many.
    pub count: u32,
}

/// How many products cost what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PriceCount {
    /// From this price on, in minor units.
    pub from: i64,
    /// Up to this price, itself not counted; absent: without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<i64>,
    /// How many.
    pub count: u32,
}

/// How many products are in stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AvailabilityCount {
    /// How many are.
    pub yes: u32,
    /// How many are not.
    pub no: u32,
}
