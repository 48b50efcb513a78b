//! What a product consists of.

use crate::ids::VariantId;
use crate::money::Money;
use crate::rules;
use crate::time::Instant;
use crate::values::named_values;
use garde::Validate;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// In how many things the variants of a product differ at the most.
pub const MAX_OPTIONS: usize = 3;

/// How many variants a product may have, with those that were left out but stay since they have or had stock.
pub const MAX_KEPT_VARIANTS: usize = 200;
/// How many characters the name of an option may have at the most.
const MAX_OPTION_NAME: usize = 40;
/// How many characters the value of an option may have at the most.
const MAX_OPTION_VALUE: usize = 60;

named_values! {
    /// Whether a product is sold.
    pub enum ProductStatus {
        /// It is.
        Active = "active",
        /// Not any more, and never again.
        Archived = "archived",
    }
}

/// A picture of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct ProductImage {
    /// Where it is, with its scheme.
    #[schemars(regex(pattern = rules::WEB_ADDRESS))]
    #[garde(length(max = 500), custom(rules::web_address))]
    pub url: String,
    /// What it shows, for those who do not see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 200), custom(rules::readable_if_present))]
    pub alt: Option<String>,
}

/// Something in which the variants of a product differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct ProductOption {
    /// What it is, for example `size`.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 40), custom(rules::readable))]
    pub name: String,
    /// The values that there are.
    #[schemars(inner(regex(pattern = rules::READABLE)))]
    #[garde(
        length(min = 1, max = 50),
        inner(length(chars, min = 1, max = 60), custom(rules::readable)),
        custom(rules::distinct)
    )]
    pub values: Vec<String>,
}

/// The values of a product's options that one of its variants has, by the option's name.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VariantOptions(pub BTreeMap<String, String>);

impl JsonSchema for VariantOptions {
    fn schema_name() -> Cow<'static, str> {
        "VariantOptions".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "The values of the product's options that a variant has, by the option's name.",
            "examples": [{ "size": "3 kg" }],
            "maxProperties": MAX_OPTIONS,
            "propertyNames": { "minLength": 1, "maxLength": MAX_OPTION_NAME, "pattern": rules::READABLE },
            "additionalProperties": {
                "type": "string",
                "minLength": 1,
                "maxLength": MAX_OPTION_VALUE,
                "pattern": rules::READABLE,
            },
        })
    }
}

/// Whether they are the product's options is seen where the product is known.
fn bounded_options(options: &VariantOptions, context: &()) -> garde::Result {
    if options.0.len() > MAX_OPTIONS {
        return Err(garde::Error::new(format!("must not have more than {MAX_OPTIONS} options")));
    }
    for (name, value) in &options.0 {
        rules::readable(name, context)?;
        rules::readable(value, context)?;
        if name.chars().count() > MAX_OPTION_NAME || value.chars().count() > MAX_OPTION_VALUE {
            return Err(garde::Error::new("must have shorter names and values of options"));
        }
    }
    Ok(())
}

/// A price of a variant, for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct VariantPrice {
    /// What it costs.
    #[garde(dive)]
    pub price: Money,
    /// The instant from which it holds; absent: it has always held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(rules::sensible_instant))]
    pub valid_from: Option<Instant>,
    /// The instant at which it does not hold any more; absent: it holds for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(rules::sensible_instant))]
    pub valid_to: Option<Instant>,
}

/// A variant of a product: what is priced, kept in stock and bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProductVariant {
    /// Its id.
    pub id: VariantId,
    /// The vendor's own number for it, unique at the vendor.
    pub sku: String,
    /// Its value of each of the product's options.
    pub options: VariantOptions,
    /// What it costs now; absent where no price holds now, and it cannot be bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// Its prices, by time.
    pub prices: Vec<VariantPrice>,
    /// Whether it is sold.
    pub active: bool,
}

/// A variant of a product, as its vendor writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct NewVariant {
    /// The variant of this product that it replaces; absent: the one with the same SKU, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub id: Option<VariantId>,
    /// The vendor's own number for it, unique at the vendor.
    #[garde(length(max = 64), pattern(r"^[A-Za-z0-9][A-Za-z0-9._/-]*$"))]
    pub sku: String,
    /// Its value of each of the product's options.
    #[serde(default)]
    #[garde(custom(bounded_options))]
    pub options: VariantOptions,
    /// Its prices. No two of them hold at the same time.
    #[garde(length(min = 1, max = 20), dive)]
    pub prices: Vec<VariantPrice>,
    /// Whether it is sold; true unless told.
    #[serde(default = "yes")]
    #[garde(skip)]
    pub active: bool,
}

const fn yes() -> bool {
    true
}
