//! Categories: the tree in which products stand.

use super::attributes::{AttributeRule, sound_rules};
use super::errors::CatalogError;
use crate::access::Access;
use crate::cache::{Cache, Tag};
use crate::ids::CategoryId;
use crate::request::{Effect, Request, Rest};
use crate::rules;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many categories there may be at the most.
pub const MAX_CATEGORIES: u16 = 2_000;
/// How many levels the tree may have at the most.
pub const MAX_CATEGORY_DEPTH: u16 = 6;

/// A category of products.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Category {
    /// Its id.
    pub id: CategoryId,
    /// The category above it; absent at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<CategoryId>,
    /// Its name, in Indonesian where it has one.
    pub name: String,
    /// Its name in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub english_name: Option<String>,
    /// Its name in addresses, unique.
    pub slug: String,
    /// What it says of its products' attributes. It holds for the categories below it, too, where they say nothing else
    /// of an attribute. Attributes that nobody says anything of are free.
    pub attribute_schema: Vec<AttributeRule>,
    /// Its place among its siblings, the lowest first.
    pub position: i32,
    /// Counts its changes.
    pub version: i64,
}

/// The whole tree of categories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CategoryTree {
    /// Every category, each after the one above it and siblings in their order.
    pub items: Vec<Category>,
}

/// Lists the whole tree of categories: each after the one above it, siblings in their order. There are at most 2,000.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct FindCategories {}

impl Request for FindCategories {
    const SUBJECT: &'static str = "category.findAll";
    const ACCESS: Access = Access::PUBLIC;
    const EFFECT: Effect = Effect::Read;
    const CACHE: Option<Cache> = Some(Cache { made_of: &[Tag::All { entity: "category" }] });
    const REST: &'static [Rest] = &[Rest::get("/categories")];
    type Reply = CategoryTree;
    type Error = CatalogError;
}

/// Reads one category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct FindCategory {
    /// The category.
    #[serde(alias = "categoryId")]
    pub id: CategoryId,
}

impl Request for FindCategory {
    const SUBJECT: &'static str = "category.findOne";
    const ACCESS: Access = Access::PUBLIC;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/categories/{id}")];
    type Reply = Category;
    type Error = CatalogError;
}

/// Adds a category, at the top or below another one. The tree has at most 6 levels and 2,000 categories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CreateCategory {
    /// The category above it; absent: at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub parent_id: Option<CategoryId>,
    /// Its name, in Indonesian where it has one.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 80), custom(rules::readable))]
    pub name: String,
    /// Its name in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 80), custom(rules::readable_if_present))]
    pub english_name: Option<String>,
    /// Its name in addresses, unique: small letters, digits and single hyphens.
    #[garde(length(max = 80), pattern(r"^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub slug: String,
    /// What it says of its products' attributes.
    #[serde(default)]
    #[garde(length(max = 40), dive, custom(sound_rules))]
    pub attribute_schema: Vec<AttributeRule>,
    /// Its place among its siblings, the lowest first; 0 unless told.
    #[serde(default)]
    #[garde(range(min = 0, max = 10_000))]
    pub position: i32,
}

impl Request for CreateCategory {
    const SUBJECT: &'static str = "category.create";
    const ACCESS: Access = Access::PERMITTED;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::post("/categories", 201)];
    type Reply = Category;
    type Error = CatalogError;
}

/// Replaces what is known of a category, and its place in the tree: with all below it, it moves to its new parent.
/// Products that are there already keep attributes that the new rules refuse, until they are changed themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct UpdateCategory {
    /// The category.
    #[garde(skip)]
    pub id: CategoryId,
    /// The category above it, none of those below it; absent: at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub parent_id: Option<CategoryId>,
    /// Its name, in Indonesian where it has one.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 80), custom(rules::readable))]
    pub name: String,
    /// Its name in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 80), custom(rules::readable_if_present))]
    pub english_name: Option<String>,
    /// Its name in addresses, unique: small letters, digits and single hyphens.
    #[garde(length(max = 80), pattern(r"^[a-z0-9]+(-[a-z0-9]+)*$"))]
    pub slug: String,
    /// What it says of its products' attributes.
    #[serde(default)]
    #[garde(length(max = 40), dive, custom(sound_rules))]
    pub attribute_schema: Vec<AttributeRule>,
    /// Its place among its siblings, the lowest first; 0 unless told.
    #[serde(default)]
    #[garde(range(min = 0, max = 10_000))]
    pub position: i32,
}

impl Request for UpdateCategory {
    const SUBJECT: &'static str = "category.update";
    const ACCESS: Access = Access::PERMITTED;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::put("/categories/{id}")];
    type Reply = Category;
    type Error = CatalogError;
}

/// Removes a category that is empty: without categories below it, and without products.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct RemoveCategory {
    /// The category.
    pub id: CategoryId,
}

impl Request for RemoveCategory {
    const SUBJECT: &'static str = "category.remove";
    const ACCESS: Access = Access::PERMITTED;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::delete("/categories/{id}", 204)];
    type Reply = ();
    type Error = CatalogError;
}
