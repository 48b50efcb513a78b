//! A page of a search.

use super::search_order::{self, direction};
use super::search_scope::Search;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, QueryResult, Statement};
use serde::{Deserialize, Serialize};
use store::Query;
use subjects::catalog::{ProductSort, ProductStatus, ProductSummary};
use subjects::time::Instant;
use subjects::{Fault, Money, Violation};
use uuid::Uuid;

/// Where a list of products goes on, as a cursor keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListKey {
    /// The order of the list.
    pub sort: ProductSort,
    /// The last product's value of what the list is ordered by: rank, price, or microseconds since 1970.
    pub value: i64,
    /// The last product, which decides among equal values.
    pub id: Uuid,
}

impl ListKey {
    /// The key of a cursor of a list in this order.
    ///
    /// # Errors
    /// A bad request at `/cursor` where it is none.
    pub fn read(cursor: Option<&str>, sort: ProductSort) -> Result<Option<ListKey>, Fault> {
        let key: Option<ListKey> = store::cursor::decode(cursor)?;
        if key.as_ref().is_some_and(|key| key.sort != sort) {
            return Err(Fault::invalid(vec![Violation::new("/cursor", "belongs to a list in another order")]));
        }
        Ok(key)
    }
}

/// A product on a page, with its place in the list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The product.
    pub summary: ProductSummary,
    /// Its value of what the list is ordered by.
    pub value: i64,
}

/// How statements of searches are planned: each for its own words and bounds, since a plan that is good for all of them is
/// bad for most; and without what is only worth its start in statements that run for seconds.
const PLANNING: &str = "set local plan_cache_mode = force_custom_plan; set local jit = off;
    set local max_parallel_workers_per_gather = 0";

/// Begins a transaction in which searches are planned well.
///
/// # Errors
/// The database's.
pub async fn begin(db: &DatabaseConnection) -> Result<DatabaseTransaction, store::Error> {
    let transaction = store::begin(db).await?;
    transaction.execute_unprepared(PLANNING).await?;
    Ok(transaction)
}

/// Postgres's plan of a statement, line by line.
///
/// # Errors
/// The database's.
pub async fn plan(db: &impl ConnectionTrait, mut statement: Statement) -> Result<String, Fault> {
    statement.sql.insert_str(0, "explain ");
    let mut lines: Vec<String> = Vec::new();
    for row in db.query_all_raw(statement).await.map_err(store::Error::from)? {
        lines.push(row.try_get_by_index(0).map_err(store::Error::from)?);
    }
    Ok(lines.join("\n"))
}

/// The products that fit a search after a place, one more than `limit`, with the prices that hold at `now`.
///
/// # Errors
/// The database's.
pub async fn page(
    db: &impl ConnectionTrait,
    search: &Search<'_>,
    sort: ProductSort,
    after: Option<&ListKey>,
    limit: u16,
    now: Instant,
) -> Result<Vec<Listed>, Fault> {
    let rows = db.query_all_raw(page_statement(search, sort, after, limit, now)).await;
    rows.map_err(store::Error::from)?.iter().map(read).collect()
}

/// The statement behind [`page`].
pub fn page_statement(
    search: &Search<'_>,
    sort: ProductSort,
    after: Option<&ListKey>,
    limit: u16,
    now: Instant,
) -> Statement {
    let mut query = Query::new("with ");
    search_order::add_page(&mut query, search, sort, after, i64::from(limit) + 1);
    query.sql(
        " select product.id, product.vendor_id, product.category_id, product.name, product.brand, product.created_at,
            product.version, page.available, page.value,
            (select url from product_images where product_id = product.id order by position limit 1) as image_url,
            costs.least, costs.most
        from page
        join products product on product.id = page.product_id
        left join lateral (
            select min(price.amount) as least, max(price.amount) as most
            from product_variants variant join product_prices price on price.variant_id = variant.id
            where variant.product_id = product.id and variant.active
                and tstzrange(price.valid_from, price.valid_to) @> ",
    );
    query.value(now).sql("::timestamptz) as costs on true order by page.value ").sql(direction(sort));
    query.sql(", page.product_id ").sql(direction(sort));
    query.statement()
}

fn read(row: &QueryResult) -> Result<Listed, Fault> {
    let read = |row: &QueryResult| -> Result<Listed, sea_orm::DbErr> {
        let price = |amount: Option<i64>| amount.map(Money::idr);
        Ok(Listed {
            summary: ProductSummary {
                id: row.try_get("", "id")?,
                vendor_id: row.try_get("", "vendor_id")?,
                category_id: row.try_get("", "category_id")?,
                name: row.try_get("", "name")?,
                brand: row.try_get("", "brand")?,
                image_url: row.try_get("", "image_url")?,
                price_from: price(row.try_get("", "least")?),
                price_to: price(row.try_get("", "most")?),
                available: row.try_get("", "available")?,
                status: ProductStatus::Active,
                created_at: row.try_get("", "created_at")?,
                version: row.try_get("", "version")?,
            },
            value: row.try_get("", "value")?,
        })
    };
    read(row).map_err(|error| store::Error::from(error).into())
}
