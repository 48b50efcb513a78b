//! What is kept of products beside their rows, as time goes on and categories change their names.

use super::product_writes::state;
use super::products;
use sea_orm::{ConnectionTrait, QueryResult};
use store::{Tx, id_list, statement};
use subjects::Fault;
use subjects::catalog::ProductUpdated;
use subjects::ids::{CategoryId, ProductId};
use subjects::time::Instant;

/// Lets the prices of some products hold that have begun to, and tells it: what a product costs now is part of it.
/// Answers how many there were.
pub async fn change_prices(tx: &Tx, now: Instant, limit: i64) -> Result<usize, Fault> {
    // Others may be at work on the rest.
    let due = "select id from products where status = 'active' and next_price_at <= $1 order by id limit $2
        for update skip locked";
    let rows = tx.query_all_raw(statement(due, vec![now.into(), limit.into()])).await.map_err(store::Error::from)?;
    let ids: Vec<ProductId> = ids(&rows)?;
    if ids.is_empty() {
        return Ok(0);
    }
    // In the order in which changes of stock lock them, too.
    let lock = "select product_id from product_search where product_id = any(string_to_array($1, ',')::uuid[])
        order by product_id for update";
    tx.execute_raw(statement(lock, vec![id_list(&ids).into()])).await.map_err(store::Error::from)?;
    let change = "with searched as (
            update product_search set price_from = price_from(product_id, $2)
            where product_id = any(string_to_array($1, ',')::uuid[])
        )
        update products set next_price_at = next_price_at(id, $2), updated_at = $2, version = version + 1
        where id = any(string_to_array($1, ',')::uuid[])";
    tx.execute_raw(statement(change, vec![id_list(&ids).into(), now.into()])).await.map_err(store::Error::from)?;
    for id in &ids {
        if let Some(found) = products::find(tx, *id, now).await? {
            tx.emit(&ProductUpdated(state(&found.product))).await?;
        }
    }
    Ok(ids.len())
}

/// The categories whose products' words are to be written anew.
pub async fn stale_categories(db: &impl ConnectionTrait) -> Result<Vec<CategoryId>, Fault> {
    let stale = "select id from product_categories where words_stale_since is not null order by id";
    let rows = db.query_all_raw(statement(stale, Vec::new())).await.map_err(store::Error::from)?;
    ids(&rows)
}

/// Writes the words of some products of a category anew. Answers how many there were.
pub async fn write_words(tx: &Tx, id: CategoryId, now: Instant, limit: i64) -> Result<u64, store::Error> {
    let write = "update product_search searched
        set words = product_words(product.name, product.brand, category_names(product.category_id), product.description),
            words_written_at = greatest($2, stale.words_stale_since)
        from (
            select found.product_id, category.words_stale_since
            from product_search found join product_categories category on category.id = found.category_id
            where category.id = $1 and found.words_written_at < category.words_stale_since
            order by found.product_id limit $3
            for update of found skip locked
        ) as stale join products product on product.id = stale.product_id
        where searched.product_id = stale.product_id";
    Ok(tx.execute_raw(statement(write, vec![id.into(), now.into(), limit.into()])).await?.rows_affected())
}

/// Notes that the words of a category's products are as they should be, where nothing can be under way any more that
/// still knows the old name.
pub async fn words_are_written(tx: &Tx, id: CategoryId, now: Instant) -> Result<(), store::Error> {
    let done = "update product_categories category set words_stale_since = null
        where id = $1 and words_stale_since < $2 and not exists (
            select from product_search
            where category_id = category.id and words_written_at < category.words_stale_since)";
    tx.execute_raw(statement(done, vec![id.into(), now.into()])).await?;
    Ok(())
}

fn ids<T: sea_orm::TryGetable>(rows: &[QueryResult]) -> Result<Vec<T>, Fault> {
    let ids: Result<Vec<T>, sea_orm::DbErr> = rows.iter().map(|row| row.try_get("", "id")).collect();
    ids.map_err(|error| store::Error::from(error).into())
}
