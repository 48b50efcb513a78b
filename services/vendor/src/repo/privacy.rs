//! What is kept of a person, found and held to be erased.

use super::failed;
use super::staff::{StaffMember, with_links};
use crate::entity::{membership, registration, staff, vendor};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use store::Tx;
use subjects::ids::{UserId, VendorId};
use subjects::vendor::MembershipStatus;
use subjects::{Fault, MembershipRole};

/// The vendors at which a person has a membership, held against changes, in the order of their ids.
///
/// # Errors
/// The database's.
pub async fn lock_vendors_of(tx: &Tx, user_id: UserId) -> Result<Vec<vendor::Model>, Fault> {
    let theirs = Query::select()
        .column(membership::Column::VendorId)
        .from(membership::Entity)
        .and_where(membership::Column::UserId.eq(user_id))
        .to_owned();
    let select = vendor::Entity::find().filter(vendor::Column::Id.in_subquery(theirs)).order_by_asc(vendor::Column::Id);
    select.lock_exclusive().all(tx).await.map_err(failed)
}

/// Whether this person runs the whole of a vendor, or has done so last, and nobody else does.
///
/// # Errors
/// The database's.
pub async fn is_run_by_alone(tx: &Tx, vendor_id: VendorId, user_id: UserId) -> Result<bool, Fault> {
    use membership::Column;
    // The second look finds a membership that the first one has ended.
    let own = Condition::all()
        .add(Column::UserId.eq(user_id))
        .add(Column::Status.is_in([MembershipStatus::Active, MembershipStatus::Revoked]));
    let who_runs_it = membership::Entity::find()
        .filter(Column::VendorId.eq(vendor_id))
        .filter(Column::Role.eq(MembershipRole::ClinicAdmin))
        .filter(Column::ClinicId.is_null())
        .filter(Condition::any().add(Column::Status.eq(MembershipStatus::Active)).add(own));
    let rows = who_runs_it.all(tx).await.map_err(failed)?;
    Ok(!rows.is_empty() && rows.iter().all(|row| row.user_id == user_id))
}

/// A person's memberships and invitations that are not over, held against changes.
///
/// # Errors
/// The database's.
pub async fn lock_memberships_of(tx: &Tx, user_id: UserId) -> Result<Vec<membership::Model>, Fault> {
    use membership::Column;
    let select = membership::Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Status.ne(MembershipStatus::Revoked))
        .order_by_asc(Column::Id);
    select.lock_exclusive().all(tx).await.map_err(failed)
}

/// The staff members who are a person, held against changes.
///
/// # Errors
/// The database's.
pub async fn lock_staff_of(tx: &Tx, user_id: UserId) -> Result<Vec<StaffMember>, Fault> {
    use staff::Column;
    let select = staff::Entity::find().filter(Column::UserId.eq(user_id)).order_by_asc(Column::Id);
    let rows = select.lock_exclusive().all(tx).await.map_err(failed)?;
    Ok(with_links(tx, rows).await?)
}

/// Forgets the registrations by which a person came, and what they would be asked for again with.
///
/// # Errors
/// The database's.
pub async fn forget_registrations(tx: &Tx, user_id: UserId) -> Result<(), Fault> {
    registration::Entity::delete_many()
        .filter(registration::Column::UserId.eq(user_id))
        .exec(tx)
        .await
        .map_err(failed)?;
    Ok(())
}
