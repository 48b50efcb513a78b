//! What is known of clinics.

use sea_orm::ConnectionTrait;
use store::statement;
use subjects::ids::{ClinicId, VendorId};

/// The vendor of a clinic, where it is known.
pub async fn vendor_of(db: &impl ConnectionTrait, clinic_id: ClinicId) -> Result<Option<VendorId>, store::Error> {
    let row =
        db.query_one_raw(statement("select vendor_id from clinics where id = $1", vec![clinic_id.into()])).await?;
    Ok(row.map(|row| row.try_get("", "vendor_id")).transpose()?)
}
