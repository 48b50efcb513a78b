//! Products with their variants, prices and stock, many at a time.

use super::data::{BRANDS, COLOURS, DemoKind, FLAVOURS, KINDS, LINES, SIZES};
use super::ids::{below, choose, demo_id, of_number};
use super::{DemoShop, category_id, product_id};
use crate::domain::{attributes, words};
use crate::repo::product_writes::state;
use crate::repo::{products, search_words};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ops::Range;
use store::Tx;
use subjects::catalog::{Attributes, CatalogError, InventoryChanged, InventoryState, ProductCreated};
use subjects::ids::{InventoryId, ProductId, StockMovementId, VariantId};
use subjects::{Fault, Money};

const WRITE: [&str; 6] = [
    "insert into products (id, vendor_id, category_id, name, description, brand, attributes, options, status, created_at,
        updated_at, version)
     select id, vendor_id, category_id, name, description, brand, attributes, options, 'active',
        $2::timestamptz - age * interval '1 minute', $2, 1
     from jsonb_to_recordset($1::jsonb -> 'products') as made (id uuid, vendor_id uuid, category_id uuid, name text,
        description text, brand text, attributes jsonb, options jsonb, age integer)",
    "insert into product_variants (id, product_id, vendor_id, sku, options, active, archived, position)
     select id, product_id, vendor_id, sku, options, true, false, position
     from jsonb_to_recordset($1::jsonb -> 'variants') as made (id uuid, product_id uuid, vendor_id uuid, sku text,
        options jsonb, position integer) where $2::timestamptz is not null",
    "insert into product_prices (variant_id, amount, currency)
     select id, amount, 'IDR' from jsonb_to_recordset($1::jsonb -> 'variants') as made (id uuid, amount bigint)
     where $2::timestamptz is not null",
    "insert into product_search (product_id, vendor_id, category_id, created_at, price_from, available, attribute_pairs,
        words, words_written_at)
     select made.id, made.vendor_id, made.category_id, $2::timestamptz - age * interval '1 minute', made.price_from, false,
        array(select jsonb_array_elements_text(made.pairs)),
        product_words(made.name, made.brand, category_names(made.category_id), made.description), $2
     from jsonb_to_recordset($1::jsonb -> 'products') as made (id uuid, vendor_id uuid, category_id uuid, name text,
        description text, brand text, pairs jsonb, price_from bigint, age integer)",
    "insert into inventory (id, variant_id, product_id, vendor_id, clinic_id, on_hand, reserved, reorder_level, version,
        updated_at)
     select id, variant_id, product_id, vendor_id, clinic_id, on_hand, 0, 3, 1, $2
     from jsonb_to_recordset($1::jsonb -> 'stock') as made (id uuid, variant_id uuid, product_id uuid, vendor_id uuid,
        clinic_id uuid, on_hand integer)",
    "insert into stock_movements (id, inventory_id, version, moved_at, reason, actor, on_hand_change, reserved_change,
        on_hand, reserved, reorder_level)
     select movement_id, id, 1, $2, 'opened', 'system', on_hand, 0, on_hand, 0, 3
     from jsonb_to_recordset($1::jsonb -> 'stock') as made (id uuid, movement_id uuid, on_hand integer)",
];

/// What is written at once.
#[derive(Default)]
struct Rows {
    products: Vec<Value>,
    variants: Vec<Value>,
    stock: Vec<Value>,
    told: Vec<InventoryState>,
    words: BTreeSet<String>,
}

/// Makes the products of some numbers that are not there, and answers how many that were.
pub async fn add_products(tx: &Tx, shops: &[DemoShop], numbers: Range<usize>) -> Result<usize, CatalogError> {
    let all: Vec<ProductId> = numbers.clone().map(product_id).collect();
    let there = ids_there(tx, &all).await?;
    let mut rows = Rows::default();
    let mut made = Vec::new();
    for number in numbers {
        let id = product_id(number);
        if there.contains(&id) {
            continue;
        }
        if let (Some(shop), Some(kind)) = (shops.get(number % shops.len().max(1)), KINDS.get(number % KINDS.len())) {
            describe(&mut rows, (number, id), shop, kind)?;
            made.push(id);
        }
    }
    if made.is_empty() {
        return Ok(0);
    }
    let now = store::now();
    let rows_as_json = json!({ "products": rows.products, "variants": rows.variants, "stock": rows.stock });
    for sql in WRITE {
        let values = [rows_as_json.clone().into(), now.into()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        tx.execute_raw(statement).await.map_err(store::Error::from)?;
    }
    search_words::learn(tx, rows.words.into_iter().collect()).await?;
    for id in &made {
        let found = products::find(tx, *id, now).await?;
        let found = found.ok_or_else(|| Fault::internal("a demo product that was just written is not there"))?;
        tx.emit(&ProductCreated(state(&found.product))).await?;
    }
    for stock in rows.told {
        tx.emit(&InventoryChanged(InventoryState { updated_at: now, ..stock })).await?;
    }
    Ok(made.len())
}

async fn ids_there(tx: &Tx, ids: &[ProductId]) -> Result<BTreeSet<ProductId>, store::Error> {
    let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let sql = "select id from products where id = any(string_to_array($1, ',')::uuid[])";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [texts.join(",").into()]);
    let mut there = BTreeSet::new();
    for row in tx.query_all_raw(statement).await? {
        there.insert(row.try_get("", "id")?);
    }
    Ok(there)
}

fn describe(rows: &mut Rows, (number, id): (usize, ProductId), shop: &DemoShop, kind: &DemoKind) -> Result<(), Fault> {
    let seed = of_number(number);
    let brand = choose(BRANDS, seed, "brand").copied().unwrap_or_default();
    let line = choose(LINES, seed, "line").copied().unwrap_or_default();
    let flavour = choose(FLAVOURS, seed, "flavour").copied().unwrap_or_default();
    let name = match kind.is_food {
        true => format!("{} {brand} {line} rasa {flavour}", kind.name),
        false => format!("{} {brand} {line}", kind.name),
    };
    let base = kind.price + 500 * i64::try_from(below(60, seed, "price")).unwrap_or_default();
    let sizes = if kind.is_food { SIZES } else { SIZES.get(..1).unwrap_or_default() };
    let mut attributes = serde_json::Map::new();
    if kind.is_food {
        attributes.insert("flavour".to_owned(), flavour.into());
        attributes.insert("weightKg".to_owned(), sizes.first().map_or(0.5, |size| size.1).into());
    }
    if kind.has_colour {
        let colour = choose(COLOURS, seed, "colour").copied().unwrap_or_default();
        attributes.insert("colour".to_owned(), colour.into());
    }
    let attributes: Attributes = serde_json::from_value(attributes.into()).map_err(Fault::internal)?;
    let size_names: Vec<&str> = sizes.iter().map(|size| size.0).collect();
    let options = if kind.is_food { json!([{ "name": "ukuran", "values": size_names }]) } else { json!([]) };
    rows.words.extend(words::of_product(&name, Some(brand), kind.description));
    rows.products.push(json!({
        "id": id, "vendor_id": shop.vendor_id, "category_id": category_id(kind.category), "name": name,
        "description": kind.description, "brand": brand, "attributes": attributes, "options": options,
        "pairs": attributes::pairs(&attributes), "price_from": base, "age": number,
    }));
    for (position, (size, _, hundredths)) in sizes.iter().enumerate() {
        let variant_seed = seed * 8 + of_number(position);
        let variant_id = VariantId(demo_id("variant", variant_seed));
        let own_options = if kind.is_food { json!({ "ukuran": size }) } else { json!({}) };
        let Money { amount, .. } = Money::idr(base * hundredths / 100);
        rows.variants.push(json!({
            "id": variant_id, "product_id": id, "vendor_id": shop.vendor_id, "sku": format!("DEMO-{number}-{position}"),
            "options": own_options, "position": position, "amount": amount,
        }));
        add_stock(rows, id, variant_id, variant_seed, shop);
    }
    Ok(())
}

/// Each variant is kept at one of the shop's clinics; of one in eight there is none left.
fn add_stock(rows: &mut Rows, product_id: ProductId, variant_id: VariantId, seed: u64, shop: &DemoShop) {
    let Some(clinic_id) = choose(&shop.clinic_ids, seed, "clinic").copied() else { return };
    let is_sold_out = below(8, seed, "sold out") == 0;
    let on_hand = if is_sold_out { 0 } else { 4 + i32::try_from(below(60, seed, "stock")).unwrap_or_default() };
    let inventory_id = InventoryId(demo_id("inventory", seed));
    rows.stock.push(json!({
        "id": inventory_id, "movement_id": StockMovementId(demo_id("movement", seed)), "variant_id": variant_id,
        "product_id": product_id, "vendor_id": shop.vendor_id, "clinic_id": clinic_id, "on_hand": on_hand,
    }));
    rows.told.push(InventoryState {
        inventory_id,
        variant_id,
        product_id,
        vendor_id: shop.vendor_id,
        clinic_id,
        on_hand,
        reserved: 0,
        available: on_hand,
        reorder_level: 3,
        updated_at: store::now(),
        version: 1,
    });
}
