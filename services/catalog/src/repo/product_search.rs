//! A page of a search.

use super::search_scope::Search;
use sea_orm::{ConnectionTrait, QueryResult, Statement};
use serde::{Deserialize, Serialize};
use store::Query;
use subjects::catalog::{MAX_COUNTED, ProductSort, ProductStatus, ProductSummary};
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
    let mut query = Query::new("with page as materialized (");
    match sort {
        ProductSort::Relevance => add_by_relevance(&mut query, search, after),
        _ => add_by_index(&mut query, search, sort, after),
    }
    query.sql(" limit ").value(i64::from(limit) + 1);
    query.sql(
        ") select product.id, product.vendor_id, product.category_id, product.name, product.brand, product.created_at,
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

fn direction(sort: ProductSort) -> &'static str {
    match sort {
        ProductSort::Price => "asc",
        ProductSort::Relevance | ProductSort::PriceDescending | ProductSort::CreatedAtDescending => "desc",
    }
}

/// All that fit, up to a bound, are ranked, and the best of them taken.
fn add_by_relevance(query: &mut Query, search: &Search<'_>, after: Option<&ListKey>) {
    query.sql(
        "select product_id, available, value from (select found.product_id, found.available,
            (1000000 * ts_rank(found.words, ",
    );
    search.add_words(query);
    query.sql("))::bigint as value");
    search.add_scope(query);
    search.add_filters(query);
    query.sql(" limit ").value(i64::from(MAX_COUNTED)).sql(") as ranked");
    if let Some(ListKey { sort: _, value, id }) = after {
        query.sql(" where (value, product_id) < (").value(*value).sql(", ").value(*id).sql(")");
    }
    query.sql(" order by value desc, product_id desc");
}

/// The rows come in the order of an index, or are sorted where few fit. The columns are those of the indexes.
fn add_by_index(query: &mut Query, search: &Search<'_>, sort: ProductSort, after: Option<&ListKey>) {
    let (column, value, last_value) = match sort {
        ProductSort::Price => ("coalesce(found.price_from, 9223372036854775807)", None, "::bigint"),
        ProductSort::PriceDescending => ("coalesce(found.price_from, -1)", None, "::bigint"),
        ProductSort::Relevance | ProductSort::CreatedAtDescending => (
            "found.created_at",
            Some("(extract(epoch from found.created_at) * 1000000)::bigint"),
            "::bigint * interval '1 microsecond' + timestamptz 'epoch'",
        ),
    };
    query.sql("select found.product_id, found.available, ").sql(value.unwrap_or(column)).sql(" as value");
    search.add_scope(query);
    search.add_filters(query);
    let direction = direction(sort);
    if let Some(ListKey { sort: _, value, id }) = after {
        query.sql(" and (").sql(column).sql(", found.product_id) ").sql(if direction == "asc" { ">" } else { "<" });
        query.sql(" (").value(*value).sql(last_value).sql(", ").value(*id).sql(")");
    }
    query.sql(" order by ").sql(column).sql(" ").sql(direction).sql(", found.product_id ").sql(direction);
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
