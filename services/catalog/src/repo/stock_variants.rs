//! What stock has to know of a variant.

use sea_orm::ConnectionTrait;
use store::statement;
use subjects::ids::{ProductId, VariantId, VendorId};

/// Whose a variant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VariantOwner {
    /// Its product.
    pub product_id: ProductId,
    /// The vendor that sells it.
    pub vendor_id: VendorId,
}

/// Whose a variant is; none where there is no such variant.
pub async fn owner_of(db: &impl ConnectionTrait, id: VariantId) -> Result<Option<VariantOwner>, store::Error> {
    let owner = statement("select product_id, vendor_id from product_variants where id = $1", vec![id.into()]);
    let Some(row) = db.query_one_raw(owner).await? else { return Ok(None) };
    Ok(Some(VariantOwner { product_id: row.try_get("", "product_id")?, vendor_id: row.try_get("", "vendor_id")? }))
}
