//! Writing products, with all that belongs to them: a bounded number of statements, however many variants there are.

use super::{products, search_words};
use crate::domain::product_content::ProductContent;
use crate::domain::{attributes, words};
use sea_orm::{ConnectionTrait, DbErr};
use serde_json::{Value, json};
use store::{Tx, id_list, statement};
use subjects::Fault;
use subjects::catalog::{
    CatalogError, MAX_KEPT_VARIANTS, NewVariant, Product, ProductCreated, ProductRemoved, ProductState, ProductUpdated,
};
use subjects::ids::{ProductId, VariantId, VendorId};
use subjects::time::Instant;

const INSERT: &str = "
    insert into products (id, vendor_id, category_id, name, description, brand, attributes, options, status, created_at,
        updated_at, version)
    values ($1, $2, $3, $4, $5, $6, $7, $8, 'active', $9, $9, 1)";

const REPLACE: &str = "
    update products set category_id = $2, name = $3, description = $4, brand = $5, attributes = $6, options = $7,
        updated_at = $8, version = version + 1
    where id = $1";

/// Adds a product, and tells it.
pub async fn insert(
    tx: &Tx,
    id: ProductId,
    vendor_id: VendorId,
    content: &ProductContent,
    now: Instant,
) -> Result<Product, CatalogError> {
    let ProductContent { category_id, name, description, brand, attributes, images: _, options, variants } = content;
    let values = vec![
        id.into(),
        vendor_id.into(),
        (*category_id).into(),
        name.as_str().into(),
        description.as_str().into(),
        brand.clone().into(),
        as_json(attributes)?.into(),
        as_json(options)?.into(),
        now.into(),
    ];
    tx.execute_raw(statement(INSERT, values)).await.map_err(refusal)?;
    let ids: Vec<VariantId> = variants.iter().map(|_| VariantId::new()).collect();
    let product = write_parts(tx, (id, vendor_id), content, &ids, now).await?;
    tx.emit(&ProductCreated(state(&product))).await?;
    Ok(product)
}

/// Replaces a locked product, and tells it. `ids` are those of the content's variants, in their order.
pub async fn replace(
    tx: &Tx,
    old: &Product,
    content: &ProductContent,
    ids: &[VariantId],
    now: Instant,
) -> Result<Product, CatalogError> {
    let ProductContent { category_id, name, description, brand, attributes, images: _, options, variants: _ } = content;
    let values = vec![
        old.id.into(),
        (*category_id).into(),
        name.as_str().into(),
        description.as_str().into(),
        brand.clone().into(),
        as_json(attributes)?.into(),
        as_json(options)?.into(),
        now.into(),
    ];
    tx.execute_raw(statement(REPLACE, values)).await.map_err(refusal)?;
    drop_left_out(tx, old.id, ids).await?;
    // Variants may take each other's numbers: none of them has one while they are written.
    let free_skus = "update product_variants set sku = id::text where product_id = $1";
    tx.execute_raw(statement(free_skus, vec![old.id.into()])).await.map_err(refusal)?;
    let kept = old.variants.iter().filter(|variant| !ids.contains(&variant.id));
    let kept_skus: Vec<Value> = kept.map(|variant| json!({ "id": variant.id, "sku": variant.sku })).collect();
    let product = write_parts(tx, (old.id, old.vendor_id), content, ids, now).await?;
    if kept_skus.is_empty() {
        tx.emit(&ProductUpdated(state(&product))).await?;
        return Ok(product);
    }
    let give_back = "update product_variants variant set sku = kept.sku
        from jsonb_to_recordset($1::jsonb) as kept (id uuid, sku text) where variant.id = kept.id";
    tx.execute_raw(statement(give_back, vec![Value::from(kept_skus).into()])).await.map_err(refusal)?;
    let product = read_again(tx, old.id, now).await?;
    tx.emit(&ProductUpdated(state(&product))).await?;
    Ok(product)
}

/// Removes the variants that are not among `ids`; what has or had stock stays, as inactive.
///
/// # Errors
/// [`CatalogError::TooManyVariants`] where more would stay than a product may have: whoever reads a product, or hears of
/// it, gets all of them in one message.
async fn drop_left_out(tx: &Tx, id: ProductId, ids: &[VariantId]) -> Result<(), CatalogError> {
    let left_out = "product_id = $1 and id <> all(string_to_array($2, ',')::uuid[])";
    // Locked by a statement of its own, so that the next one sees the stock of whoever held them.
    let mut kept = 0;
    for sql in [
        format!("select id from product_variants where {left_out} order by id for update"),
        format!(
            "delete from product_variants variant where {left_out}
                and not exists (select from inventory where variant_id = variant.id)"
        ),
        format!("update product_variants set active = false, position = 1000 + position % 1000 where {left_out}"),
    ] {
        let touched = tx.execute_raw(statement(&sql, vec![id.into(), id_list(ids).into()])).await.map_err(refusal)?;
        kept = usize::try_from(touched.rows_affected()).unwrap_or(usize::MAX);
    }
    // The last statement has touched those that stay.
    if kept.saturating_add(ids.len()) > MAX_KEPT_VARIANTS { Err(CatalogError::TooManyVariants) } else { Ok(()) }
}

const WRITE_VARIANTS: &str = "
    insert into product_variants (id, product_id, vendor_id, sku, options, active, archived, position)
    select variant.id, $2, $3, variant.sku, variant.options, variant.active, false, variant.position
    from jsonb_to_recordset($1::jsonb) as variant (id uuid, sku text, options jsonb, active boolean, position integer)
    on conflict (id) do update set sku = excluded.sku, options = excluded.options, active = excluded.active,
        position = excluded.position";

const WRITE_PRICES: &str = "
    insert into product_prices (variant_id, amount, currency, valid_from, valid_to)
    select price.variant_id, price.amount, price.currency, price.valid_from, price.valid_to
    from jsonb_to_recordset($1::jsonb) as price
        (variant_id uuid, amount bigint, currency text, valid_from timestamptz, valid_to timestamptz)";

const WRITE_IMAGES: &str = "
    insert into product_images (product_id, position, url, alt)
    select $2, image.position, image.url, image.alt
    from jsonb_to_recordset($1::jsonb) as image (position integer, url text, alt text)";

const WRITE_SEARCH: &str = "
    with prices as (
        update products set next_price_at = next_price_at($1, $3) where id = $1
    )
    insert into product_search (product_id, vendor_id, category_id, created_at, price_from, available, attribute_pairs,
        words, words_written_at)
    select id, vendor_id, category_id, created_at, price_from(id, $3), product_is_available(id),
        array(select jsonb_array_elements_text($2::jsonb)),
        product_words(name, brand, category_names(category_id), description), $3
    from products where id = $1
    on conflict (product_id) do update set category_id = excluded.category_id, price_from = excluded.price_from,
        available = excluded.available, attribute_pairs = excluded.attribute_pairs, words = excluded.words,
        words_written_at = excluded.words_written_at";

async fn write_parts(
    tx: &Tx,
    (id, vendor_id): (ProductId, VendorId),
    content: &ProductContent,
    ids: &[VariantId],
    now: Instant,
) -> Result<Product, CatalogError> {
    let (mut variants, mut prices) = (Vec::new(), Vec::new());
    for (position, (variant, variant_id)) in content.variants.iter().zip(ids).enumerate() {
        let NewVariant { id: _, sku, options, prices: own_prices, active } = variant;
        variants
            .push(json!({ "id": variant_id, "sku": sku, "options": options, "active": active, "position": position }));
        prices.extend(own_prices.iter().map(|each| {
            json!({ "variant_id": variant_id, "amount": each.price.amount, "currency": each.price.currency,
                "valid_from": each.valid_from, "valid_to": each.valid_to })
        }));
    }
    let images: Vec<Value> = content
        .images
        .iter()
        .enumerate()
        .map(|(position, image)| json!({ "position": position, "url": image.url, "alt": image.alt }))
        .collect();
    let forget = "with images as (delete from product_images where product_id = $1)
        delete from product_prices where variant_id = any(string_to_array($2, ',')::uuid[])";
    let learned = words::of_product(&content.name, content.brand.as_deref(), &content.description);
    for (sql, values) in [
        (WRITE_VARIANTS, vec![Value::from(variants).into(), id.into(), vendor_id.into()]),
        (forget, vec![id.into(), id_list(ids).into()]),
        (WRITE_PRICES, vec![Value::from(prices).into()]),
        (WRITE_IMAGES, vec![Value::from(images).into(), id.into()]),
        // Locked before the stock is looked at: whoever changes that in between waits here, or has been waited for.
        ("select product_id from product_search where product_id = $1 for update", vec![id.into()]),
        (WRITE_SEARCH, vec![id.into(), Value::from(attributes::pairs(&content.attributes)).into(), now.into()]),
    ] {
        tx.execute_raw(statement(sql, values)).await.map_err(refusal)?;
    }
    search_words::learn(tx, learned).await?;
    read_again(tx, id, now).await
}

async fn read_again(tx: &Tx, id: ProductId, now: Instant) -> Result<Product, CatalogError> {
    let found = products::find(tx, id, now).await?;
    Ok(found.ok_or_else(|| Fault::internal("a product that was just written is not there"))?.product)
}

/// Archives a locked product for good, and tells it: its last event.
pub async fn archive(tx: &Tx, id: ProductId, now: Instant) -> Result<(), CatalogError> {
    let archive = "with searched as (delete from product_search where product_id = $1),
        variants as (update product_variants set active = false, archived = true where product_id = $1)
        update products set status = 'archived', next_price_at = null, updated_at = $2, version = version + 1
        where id = $1";
    tx.execute_raw(statement(archive, vec![id.into(), now.into()])).await.map_err(refusal)?;
    let product = read_again(tx, id, now).await?;
    tx.emit(&ProductRemoved(state(&product))).await?;
    Ok(())
}

/// A product as events tell it.
pub fn state(product: &Product) -> ProductState {
    ProductState {
        product_id: product.id,
        vendor_id: product.vendor_id,
        category_id: product.category_id,
        name: product.name.clone(),
        variants: product.variants.clone(),
        status: product.status,
        version: product.version,
    }
}

fn as_json(value: &impl serde::Serialize) -> Result<Value, Fault> {
    serde_json::to_value(value).map_err(Fault::internal)
}

fn refusal(error: DbErr) -> CatalogError {
    let error = store::Error::from(error);
    match error.constraint() {
        Some("product_variants_sku_key") => CatalogError::SkuTaken,
        Some("product_prices_overlap_excl") => CatalogError::PricesOverlap,
        Some("products_category_fkey") => CatalogError::UnknownCategory,
        _ => Fault::from(error).into(),
    }
}
