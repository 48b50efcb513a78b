//! What there is among all products that fit a search, counted in one statement.

use super::search_scope::{MISSES_PRICE, MISSES_STOCK, MISSES_VENDOR, Search, misses_attribute};
use sea_orm::{ConnectionTrait, Statement};
use serde::Deserialize;
use store::Query;
use subjects::Fault;
use subjects::catalog::MAX_COUNTED;
use subjects::ids::{CategoryId, VendorId};

/// Where one range of prices ends and the next begins, in minor units.
pub const PRICE_STEPS: [i64; 8] = [0, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000];

/// How many products are told of some kind.
pub type Count<K> = (K, u32);

/// The counts as the database gives them.
#[derive(Debug, Clone, Deserialize)]
pub struct Counts {
    /// How many have the words and the category, up to one more than are counted.
    pub scope: u32,
    /// How many fit.
    pub total: u32,
    /// By category, without those below it.
    pub categories: Vec<Count<CategoryId>>,
    /// By vendor, the most first.
    pub vendors: Vec<Count<VendorId>>,
    /// By `name:value`, of attributes that can be filtered, the most first.
    pub attributes: Vec<Count<String>>,
    /// By the range of [`PRICE_STEPS`], from 1.
    pub prices: Vec<Count<usize>>,
    /// By whether anything is in stock.
    pub available: Vec<Count<bool>>,
}

/// Counts what fits a search.
///
/// # Errors
/// The database's.
pub async fn count(db: &impl ConnectionTrait, search: &Search<'_>) -> Result<Counts, Fault> {
    let row = db.query_one_raw(count_statement(search)).await.map_err(store::Error::from)?;
    let row = row.ok_or_else(|| Fault::internal("counting gave no row"))?;
    let counts: serde_json::Value = row.try_get("", "counts").map_err(store::Error::from)?;
    serde_json::from_value(counts).map_err(Fault::internal)
}

/// The statement behind [`count`]. Everything is counted over the same rows, each with what it misses of the question, so
/// that a facet can leave its own part out: it counts what misses nothing, or nothing but that.
pub fn count_statement(search: &Search<'_>) -> Statement {
    let mut query = Query::new(
        "with fits as materialized (select found.category_id, found.vendor_id, found.price_from, found.available,
            found.attribute_pairs, (0",
    );
    for narrowing in search.narrowings() {
        query.sql(" + case when ");
        narrowing.add(&mut query);
        query.sql(" then 0 else ").value(narrowing.bit()).sql("::integer end");
    }
    query.sql(") as missed");
    search.add_scope(&mut query);
    query.sql(" limit ").value(i64::from(MAX_COUNTED) + 1);
    // Pairs are counted before their names are looked at: there are far fewer of them than of products with them.
    query.sql(
        "), pairs as materialized (
            select pair collate \"C\" as pair, missed, count(*) as number
            from fits cross join lateral unnest(attribute_pairs) as pair where missed & ",
    );
    query.value(MISSES_VENDOR | MISSES_PRICE | MISSES_STOCK);
    query.sql(
        "::integer = 0 group by 1, 2
        ), filterable as materialized (
            select distinct rule ->> 'name' as name
            from product_categories, jsonb_array_elements(attribute_schema) as rule
            where (rule ->> 'filterable')::boolean
        )
        select jsonb_build_object('scope', (select count(*) from fits),
            'total', (select count(*) from fits where missed = 0),
            'categories', (select coalesce(jsonb_agg(jsonb_build_array(kind, number)), '[]') from (
                select category_id as kind, count(*) as number from fits where missed = 0 group by 1) as counted),
            'vendors', (select coalesce(jsonb_agg(jsonb_build_array(kind, number) order by number desc, kind), '[]') from (
                select vendor_id as kind, count(*) as number from fits where missed in (0, ",
    );
    query.value(MISSES_VENDOR);
    query.sql(
        ") group by 1 order by 2 desc, 1 limit 50) as counted),
            'prices', (select coalesce(jsonb_agg(jsonb_build_array(kind, number) order by kind), '[]') from (
                select width_bucket(price_from, array[",
    );
    query.values(PRICE_STEPS);
    query.sql("]::bigint[]) as kind, count(*) as number from fits where missed in (0, ").value(MISSES_PRICE);
    query.sql(
        ") and price_from is not null group by 1) as counted),
            'available', (select coalesce(jsonb_agg(jsonb_build_array(kind, number)), '[]') from (
                select available as kind, count(*) as number from fits where missed in (0, ",
    );
    query.value(MISSES_STOCK);
    query.sql(
        ") group by 1) as counted),
            'attributes', (select coalesce(jsonb_agg(jsonb_build_array(kind, number) order by number desc, kind), '[]')
                from (select pair as kind, sum(number) as number from pairs
                where split_part(pair, ':', 1) in (select name from filterable) and (missed = 0",
    );
    for (index, name) in search.attributes().keys().enumerate() {
        query.sql(" or (missed = ").value(misses_attribute(index));
        query.sql(" and split_part(pair, ':', 1) = ").value(*name).sql(")");
    }
    query.sql(") group by 1 order by 2 desc, 1 limit 1000) as counted)) as counts");
    query.statement()
}
