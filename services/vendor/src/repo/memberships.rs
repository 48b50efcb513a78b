//! Memberships.

use crate::domain::members::Standing;
use crate::entity::membership::{ActiveModel, Column, Entity, Model};
use crate::replies;
use crate::repo::failed;
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, Order, QueryFilter,
    QuerySelect,
};
use store::Tx;
use store::keyset::{self, Place};
use subjects::ids::{ClinicId, MembershipId, UserId, VendorId};
use subjects::time::Instant;
use subjects::vendor::{MembershipChanged, MembershipRevoked, MembershipSort, MembershipStatus, VendorError};
use subjects::{Fault, MembershipRole};

/// A membership to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewMembership {
    /// Its id.
    pub id: MembershipId,
    /// The vendor.
    pub vendor_id: VendorId,
    /// The one clinic it is for; `None`: all of the vendor's.
    pub clinic_id: Option<ClinicId>,
    /// The user.
    pub user_id: UserId,
    /// What the user may do there.
    pub role: MembershipRole,
    /// Whether it is in force or only offered.
    pub status: MembershipStatus,
}

impl NewMembership {
    /// The membership of the user who makes a vendor.
    pub fn of_founder(user_id: UserId, vendor_id: VendorId) -> NewMembership {
        NewMembership {
            id: MembershipId::new(),
            vendor_id,
            clinic_id: None,
            user_id,
            role: MembershipRole::ClinicAdmin,
            status: MembershipStatus::Active,
        }
    }
}

/// Reads a membership of a vendor and keeps others from changing it until the transaction's end.
pub async fn lock(tx: &Tx, vendor_id: VendorId, id: MembershipId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).filter(Column::VendorId.eq(vendor_id)).lock_exclusive().one(tx).await?)
}

/// Where a list in an order goes on after a membership.
pub fn place(sort: MembershipSort, row: &Model) -> Place<MembershipSort> {
    Place { sort, value: serde_json::json!(row.created_at), id: row.id.into() }
}

/// Memberships that fit a condition, in an order, one more than `limit`. Revoked ones only where that status is asked
/// for.
///
/// # Errors
/// A bad request for a cursor that is none of this list.
pub async fn list(
    db: &impl ConnectionTrait,
    whose: Condition,
    status: Option<MembershipStatus>,
    sort: MembershipSort,
    after: Option<&Place<MembershipSort>>,
    limit: u16,
) -> Result<Vec<Model>, Fault> {
    let mut select = Entity::find().filter(whose);
    select = match status {
        Some(status) => select.filter(Column::Status.eq(status)),
        None => select.filter(Column::Status.ne(MembershipStatus::Revoked)),
    };
    let order = match sort {
        MembershipSort::CreatedAt => Order::Asc,
        MembershipSort::CreatedAtDescending => Order::Desc,
    };
    let select = keyset::page::<_, Instant, _>(select, (Column::CreatedAt, Column::Id), order, after, limit)?;
    select.all(db).await.map_err(failed)
}

/// The standing of every member of a vendor.
pub async fn standings(tx: &Tx, vendor_id: VendorId) -> Result<Vec<Standing>, store::Error> {
    let rows = Entity::find()
        .filter(Column::VendorId.eq(vendor_id))
        .filter(Column::Status.eq(MembershipStatus::Active))
        .all(tx)
        .await?;
    Ok(rows.iter().map(standing).collect())
}

/// What counts of a membership for the rules.
pub fn standing(row: &Model) -> Standing {
    Standing { id: row.id, clinic_id: row.clinic_id, role: row.role, status: row.status }
}

/// Adds a membership, and tells it.
pub async fn insert(tx: &Tx, new: NewMembership, now: Instant) -> Result<Model, VendorError> {
    let NewMembership { id, vendor_id, clinic_id, user_id, role, status } = new;
    let row = ActiveModel {
        id: Set(id),
        vendor_id: Set(vendor_id),
        clinic_id: Set(clinic_id),
        user_id: Set(user_id),
        role: Set(role),
        status: Set(status),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
    };
    let row = row.insert(tx).await.map_err(refusal)?;
    tx.emit(&MembershipChanged(replies::membership_state(&row))).await?;
    Ok(row)
}

/// Changes what a member may do and where, and tells it.
pub async fn replace(
    tx: &Tx,
    row: Model,
    role: MembershipRole,
    clinic_id: Option<ClinicId>,
    now: Instant,
) -> Result<Model, VendorError> {
    let version = row.version + 1;
    let mut changed = row.into_active_model();
    changed.role = Set(role);
    changed.clinic_id = Set(clinic_id);
    changed.updated_at = Set(now);
    changed.version = Set(version);
    let row = changed.update(tx).await.map_err(refusal)?;
    tx.emit(&MembershipChanged(replies::membership_state(&row))).await?;
    Ok(row)
}

/// Puts an invitation in force, and tells it.
pub async fn activate(tx: &Tx, row: Model, now: Instant) -> Result<Model, Fault> {
    let version = row.version + 1;
    let mut changed = row.into_active_model();
    changed.status = Set(MembershipStatus::Active);
    changed.updated_at = Set(now);
    changed.version = Set(version);
    let row = changed.update(tx).await.map_err(failed)?;
    tx.emit(&MembershipChanged(replies::membership_state(&row))).await?;
    Ok(row)
}

/// Ends a membership, and tells it.
pub async fn revoke(tx: &Tx, row: Model, now: Instant) -> Result<(), Fault> {
    let version = row.version + 1;
    let mut changed = row.into_active_model();
    changed.status = Set(MembershipStatus::Revoked);
    changed.updated_at = Set(now);
    changed.version = Set(version);
    let row = changed.update(tx).await.map_err(failed)?;
    tx.emit(&MembershipRevoked(replies::membership_state(&row))).await?;
    Ok(())
}

fn refusal(error: DbErr) -> VendorError {
    let error = store::Error::from(error);
    match error.constraint() {
        Some("memberships_live_key") => VendorError::AlreadyMember,
        Some("memberships_clinic_fkey") => VendorError::UnknownClinic,
        // It was removed since it was looked up.
        Some("memberships_vendor_fkey") => VendorError::VendorNotFound,
        _ => VendorError::from(error),
    }
}
