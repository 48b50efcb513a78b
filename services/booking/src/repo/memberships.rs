//! Who works where, as vendor's events have told.

use super::statement;
use crate::entity::memberships;
use identity::Membership;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use subjects::MembershipRole;
use subjects::ids::{ClinicId, UserId, VendorId};

/// A user's memberships at a vendor that give rights.
pub async fn at_vendor(
    db: &impl ConnectionTrait,
    user_id: UserId,
    vendor_id: VendorId,
) -> Result<Vec<Membership>, store::Error> {
    use memberships::Column;
    let rows = memberships::Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::VendorId.eq(vendor_id))
        .filter(Column::Active.eq(true))
        .all(db)
        .await?;
    // A role that a later version of the contract has gives no rights here.
    let known = rows.into_iter().filter_map(|row| {
        let role = MembershipRole::parse(&row.role)?;
        Some(Membership { user_id: row.user_id, vendor_id: row.vendor_id, clinic_id: row.clinic_id, role })
    });
    Ok(known.collect())
}

/// The vendor of a clinic, where it is known.
pub async fn vendor_of(db: &impl ConnectionTrait, clinic_id: ClinicId) -> Result<Option<VendorId>, store::Error> {
    let row =
        db.query_one_raw(statement("select vendor_id from clinics where id = $1", vec![clinic_id.into()])).await?;
    Ok(row.map(|row| row.try_get("", "vendor_id")).transpose()?)
}
