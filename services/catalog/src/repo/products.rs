//! Reading products.

use crate::domain::variants::price_at;
use sea_orm::{ConnectionTrait, QueryResult};
use serde::de::DeserializeOwned;
use store::{Tx, statement};
use subjects::Fault;
use subjects::catalog::{Product, ProductStatus, ProductVariant};
use subjects::ids::ProductId;
use subjects::time::Instant;

/// A product, and whether the public may see its vendor.
#[derive(Debug, Clone)]
pub struct Found {
    /// The product with its prices as of the instant that it was read for.
    pub product: Product,
    /// Whether its vendor is open for business, as far as is known here.
    pub vendor_is_open: bool,
}

impl Found {
    /// Whether everybody may see it.
    pub fn is_public(&self) -> bool {
        self.vendor_is_open && self.product.status == ProductStatus::Active
    }
}

const FIND: &str = "
    select product.id, product.vendor_id, product.category_id, product.name, product.description, product.brand,
        product.attributes, product.options, product.status, product.created_at, product.updated_at, product.version,
        coalesce(vendor.open_for_business, false) as vendor_is_open,
        (select coalesce(jsonb_agg(jsonb_build_object('url', url, 'alt', alt) order by position), '[]')
            from product_images where product_id = product.id) as images,
        (select coalesce(jsonb_agg(jsonb_build_object('id', variant.id, 'sku', variant.sku, 'options', variant.options,
                'active', variant.active, 'prices', (
                    select coalesce(jsonb_agg(jsonb_build_object(
                        'price', jsonb_build_object('amount', amount, 'currency', currency),
                        'validFrom', valid_from, 'validTo', valid_to) order by valid_from nulls first), '[]')
                    from product_prices where variant_id = variant.id)) order by variant.position, variant.id), '[]')
            from product_variants variant where variant.product_id = product.id) as variants
    from products product
    left join vendors vendor on vendor.id = product.vendor_id
    where product.id = $1";

/// Reads a product in one statement, with the prices that hold now.
///
/// # Errors
/// The database's.
pub async fn find(db: &impl ConnectionTrait, id: ProductId, now: Instant) -> Result<Option<Found>, Fault> {
    let row = db.query_one_raw(statement(FIND, vec![id.into()])).await.map_err(store::Error::from)?;
    row.map(|row| read(&row, now)).transpose()
}

/// Keeps others from changing a product until the transaction's end. False: there is none.
pub async fn lock(tx: &Tx, id: ProductId) -> Result<bool, store::Error> {
    let lock = statement("select id from products where id = $1 for update", vec![id.into()]);
    Ok(tx.query_one_raw(lock).await?.is_some())
}

fn read(row: &QueryResult, now: Instant) -> Result<Found, Fault> {
    let status: String = column(row, "status")?;
    let mut variants: Vec<ProductVariant> = json(row, "variants")?;
    for variant in &mut variants {
        variant.price = price_at(&variant.prices, now);
    }
    let product = Product {
        id: column(row, "id")?,
        vendor_id: column(row, "vendor_id")?,
        category_id: column(row, "category_id")?,
        name: column(row, "name")?,
        description: column(row, "description")?,
        brand: column(row, "brand")?,
        attributes: json(row, "attributes")?,
        images: json(row, "images")?,
        options: json(row, "options")?,
        variants,
        status: ProductStatus::parse(&status).ok_or_else(|| Fault::internal("a product has no known status"))?,
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
        version: column(row, "version")?,
    };
    Ok(Found { product, vendor_is_open: column(row, "vendor_is_open")? })
}

fn column<T: sea_orm::TryGetable>(row: &QueryResult, name: &str) -> Result<T, Fault> {
    row.try_get("", name).map_err(|error| store::Error::from(error).into())
}

fn json<T: DeserializeOwned>(row: &QueryResult, name: &str) -> Result<T, Fault> {
    let value: serde_json::Value = column(row, name)?;
    serde_json::from_value(value).map_err(Fault::internal)
}
