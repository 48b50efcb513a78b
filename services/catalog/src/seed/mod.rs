//! Demo data: a tree of categories, and products with their stock for vendors that exist. Everything has the same id each
//! time, so that doing it again changes nothing.

mod bulk;
mod data;
mod ids;

use crate::app::CatalogApp;
use crate::entity::product_categories::Rules;
use crate::repo::categories::{self, CategoryContent};
use data::DemoCategory;
use store::{HasStore as _, Tx};
use subjects::catalog::CatalogError;
use subjects::ids::{CategoryId, ClinicId, ProductId, VendorId};
use subjects::{Fault, ServiceError as _};

/// How many products are made in one transaction.
const BATCH: usize = 250;

/// A vendor that gets products, with the clinics that keep them in stock.
#[derive(Debug, Clone)]
pub struct DemoShop {
    /// The vendor.
    pub vendor_id: VendorId,
    /// Its clinics; none: its products are never in stock.
    pub clinic_ids: Vec<ClinicId>,
}

/// What seeding has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seeded {
    /// Categories that were made.
    pub categories_made: usize,
    /// Products that were made.
    pub products_made: usize,
    /// Products that had been there already.
    pub products_found: usize,
}

/// Makes the demo's categories and so many products, in turns for each of the shops, where they are not there yet.
///
/// Outside a running service the context comes from [`platform::Setup::cx`].
///
/// # Errors
/// Those of the database.
pub async fn demo_products(cx: &platform::Cx<CatalogApp>, shops: &[DemoShop], count: usize) -> Result<Seeded, Fault> {
    let store = cx.app.store();
    let made = store.write(cx, |tx| async move { add_categories(&tx).await }).await;
    let mut seeded = Seeded { categories_made: made.map_err(CatalogError::into_fault)?, ..Seeded::default() };
    if shops.is_empty() {
        return Ok(seeded);
    }
    let mut first = 0;
    while first < count {
        let numbers = first..(first + BATCH).min(count);
        let wanted = numbers.len();
        let numbers = &numbers;
        let made = store.write(cx, |tx| async move { bulk::add_products(&tx, shops, numbers.clone()).await }).await;
        let made = made.map_err(CatalogError::into_fault)?;
        seeded.products_made += made;
        seeded.products_found += wanted - made;
        first += BATCH;
    }
    Ok(seeded)
}

/// The id of a demo category by its slug.
pub fn category_id(slug: &str) -> CategoryId {
    CategoryId(ids::demo_id("category", ids::of_text(slug)))
}

/// The id of a demo product by its number, from 0.
pub fn product_id(number: usize) -> ProductId {
    ProductId(ids::demo_id("product", ids::of_number(number)))
}

/// Makes those that are not there, and answers how many that were.
async fn add_categories(tx: &Tx) -> Result<usize, CatalogError> {
    categories::lock_tree(tx).await?;
    let there: Vec<CategoryId> = categories::all(tx).await?.into_iter().map(|row| row.id).collect();
    let mut made = 0;
    for (position, DemoCategory { slug, parent, name, english_name, rules }) in data::CATEGORIES.iter().enumerate() {
        if there.contains(&category_id(slug)) {
            continue;
        }
        let content = CategoryContent {
            parent_id: parent.map(category_id),
            name: (*name).to_owned(),
            english_name: Some((*english_name).to_owned()),
            slug: (*slug).to_owned(),
            rules: Rules(rules.iter().map(|rule| rule.rule()).collect()),
            position: i32::try_from(position).unwrap_or_default(),
        };
        categories::insert(tx, category_id(slug), content, store::now()).await?;
        made += 1;
    }
    Ok(made)
}
