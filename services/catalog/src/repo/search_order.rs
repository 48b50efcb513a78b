//! Which products stand on a page, in each order.

use super::product_search::ListKey;
use super::search_scope::Search;
use store::Query;
use subjects::catalog::{MAX_COUNTED, ProductSort};

/// Among how many products, in the order of the list, words are looked for before the index of words is asked. Words that
/// many products have fill a page sooner than this; of words that do not, few enough have to be sorted.
const WALKED: i64 = 1_000;

/// Which way a list goes.
pub fn direction(sort: ProductSort) -> &'static str {
    match sort {
        ProductSort::Price => "asc",
        ProductSort::Relevance | ProductSort::PriceDescending | ProductSort::CreatedAtDescending => "desc",
    }
}

/// Adds `page as materialized (…)` with the ids of so many products after a place, and their values of what the list is
/// ordered by.
pub fn add_page(query: &mut Query, search: &Search<'_>, sort: ProductSort, after: Option<&ListKey>, rows: i64) {
    let order = match sort {
        ProductSort::Relevance => return add_by_relevance(query, search, after, rows),
        // The columns are those of the indexes.
        ProductSort::Price => Order {
            column: "coalesce(found.price_from, 9223372036854775807)",
            value: "coalesce(found.price_from, 9223372036854775807)",
            last_value: "::bigint",
            direction: direction(sort),
        },
        ProductSort::PriceDescending => Order {
            column: "coalesce(found.price_from, -1)",
            value: "coalesce(found.price_from, -1)",
            last_value: "::bigint",
            direction: direction(sort),
        },
        ProductSort::CreatedAtDescending => Order {
            column: "found.created_at",
            value: "(extract(epoch from found.created_at) * 1000000)::bigint",
            last_value: "::bigint * interval '1 microsecond' + timestamptz 'epoch'",
            direction: direction(sort),
        },
    };
    if search.terms.is_some() {
        return add_by_walking(query, search, &order, after, rows);
    }
    query.sql("page as materialized (");
    order.add_start(query);
    search.add_scope(query);
    search.add_filters(query);
    order.add_place(query, after);
    order.add_end(query, rows);
    query.sql(")");
}

/// All that fit, up to a bound, are ranked, and the best of them taken.
fn add_by_relevance(query: &mut Query, search: &Search<'_>, after: Option<&ListKey>, rows: i64) {
    query.sql(
        "page as materialized (select product_id, available, value from (select found.product_id, found.available,
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
    query.sql(" order by value desc, product_id desc limit ").value(rows).sql(")");
}

/// Words may be those of a few products or of most. Some way down the list, products are looked at one by one; only where
/// these do not fill the page, all that have the words are looked up and sorted.
fn add_by_walking(query: &mut Query, search: &Search<'_>, order: &Order, after: Option<&ListKey>, rows: i64) {
    query.sql("walked as materialized (");
    order.add_start(query);
    query.sql(" from (select * from product_search found where true");
    order.add_place(query, after);
    order.add_end(query, WALKED);
    query.sql(") as found");
    search.add_scope_of_found(query);
    search.add_filters(query);
    order.add_end(query, rows);
    query.sql("), page as materialized (select * from walked where (select count(*) from walked) = ").value(rows);
    query.sql(" union all select * from (");
    order.add_start(query);
    search.add_scope(query);
    search.add_filters(query);
    order.add_place(query, after);
    query.sql(" and (select count(*) from walked) < ").value(rows);
    order.add_end(query, rows);
    query.sql(") as looked_up)");
}

/// An order that has an index.
struct Order {
    /// What the index has.
    column: &'static str,
    /// The same as a cursor keeps it.
    value: &'static str,
    /// Makes the former of the latter.
    last_value: &'static str,
    direction: &'static str,
}

impl Order {
    fn add_start(&self, query: &mut Query) {
        query.sql("select found.product_id, found.available, ").sql(self.value).sql(" as value");
    }

    fn add_place(&self, query: &mut Query, after: Option<&ListKey>) {
        let Some(ListKey { sort: _, value, id }) = after else { return };
        let comparison = if self.direction == "asc" { ">" } else { "<" };
        query.sql(" and (").sql(self.column).sql(", found.product_id) ").sql(comparison);
        query.sql(" (").value(*value).sql(self.last_value).sql(", ").value(*id).sql(")");
    }

    fn add_end(&self, query: &mut Query, rows: i64) {
        query.sql(" order by ").sql(self.column).sql(" ").sql(self.direction);
        query.sql(", found.product_id ").sql(self.direction).sql(" limit ").value(rows);
    }
}
