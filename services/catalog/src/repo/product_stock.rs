//! What is in stock of a product.

use sea_orm::ConnectionTrait;
use store::statement;
use subjects::catalog::VariantStock;
use subjects::ids::ProductId;

const AVAILABLE: &str = "
    select stock.variant_id, stock.clinic_id, stock.available
    from inventory stock
    join product_variants variant on variant.id = stock.variant_id and variant.active
    where stock.product_id = $1
    order by variant.position, stock.clinic_id";

/// What is in stock of a product's active variants, at each place that keeps any.
pub async fn available(db: &impl ConnectionTrait, id: ProductId) -> Result<Vec<VariantStock>, store::Error> {
    let rows = db.query_all_raw(statement(AVAILABLE, vec![id.into()])).await?;
    let mut stock = Vec::with_capacity(rows.len());
    for row in rows {
        stock.push(VariantStock {
            variant_id: row.try_get("", "variant_id")?,
            clinic_id: row.try_get("", "clinic_id")?,
            available: row.try_get("", "available")?,
        });
    }
    Ok(stock)
}
