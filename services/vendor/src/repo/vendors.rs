//! Vendors.

use crate::authority::Authority;
use crate::entity::vendor::{ActiveModel, Column, Entity, Model};
use crate::entity::{clinic, membership, staff as staff_entity};
use crate::repo::{clinics, failed, memberships, staff, text_search};
use crate::{domain, replies};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, ModelTrait, Order, QueryFilter,
    QueryOrder, QuerySelect,
};
use store::Tx;
use store::keyset::{self, Place};
use subjects::Fault;
use subjects::ids::VendorId;
use subjects::time::Instant;
use subjects::vendor::{
    CreateVendor, FindVendors, MembershipStatus, RegisterVendor, UpdateVendor, VendorApproved, VendorKind,
    VendorRegistered, VendorRejected, VendorSort, VendorState, VendorStatus, VendorSuspended, VendorUpdated,
};

/// What a vendor says of itself.
#[derive(Debug, Clone)]
pub struct VendorProfile {
    /// The name under which it does business.
    pub name: String,
    /// What kind of business it is.
    pub kind: VendorKind,
    /// What it says of itself.
    pub description: Option<String>,
    /// E-mail address for customers.
    pub email: Option<String>,
    /// Telephone number for customers.
    pub phone: Option<String>,
    /// Web site.
    pub website: Option<String>,
}

impl From<&CreateVendor> for VendorProfile {
    fn from(request: &CreateVendor) -> VendorProfile {
        let CreateVendor { name, kind, description, email, phone, website } = request.clone();
        VendorProfile { name, kind, description, email, phone, website }
    }
}

impl From<&RegisterVendor> for VendorProfile {
    fn from(request: &RegisterVendor) -> VendorProfile {
        let RegisterVendor { owner: _, name, kind, description, email, phone, website } = request.clone();
        VendorProfile { name, kind, description, email, phone, website }
    }
}

impl From<&UpdateVendor> for VendorProfile {
    fn from(request: &UpdateVendor) -> VendorProfile {
        let UpdateVendor { id: _, name, kind, description, email, phone, website } = request.clone();
        VendorProfile { name, kind, description, email, phone, website }
    }
}

/// Reads a vendor.
pub async fn find(db: &impl ConnectionTrait, id: VendorId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// Reads a vendor and keeps others from changing it until the transaction's end.
pub async fn lock(tx: &Tx, id: VendorId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(tx).await?)
}

/// Where a list in an order goes on after a vendor.
pub fn place(sort: VendorSort, row: &Model) -> Place<VendorSort> {
    let value = match sort {
        VendorSort::Name | VendorSort::NameDescending => row.name.as_str().into(),
        VendorSort::CreatedAtDescending => serde_json::json!(row.created_at),
    };
    Place { sort, value, id: row.id.into() }
}

/// The vendors that fit a question and that the caller sees, in an order, one more than `limit`.
///
/// # Errors
/// A bad request for a cursor that is none of this list.
pub async fn search(
    db: &sea_orm::DatabaseConnection,
    question: &FindVendors,
    authority: &Authority,
    sort: VendorSort,
    after: Option<&Place<VendorSort>>,
    limit: u16,
) -> Result<Vec<Model>, Fault> {
    let mut select = Entity::find().filter(authority.sees_vendor_row());
    if let Some(kind) = question.kind {
        select = select.filter(Column::Kind.eq(kind));
    }
    if let Some(status) = question.status {
        select = select.filter(Column::Status.eq(status));
    }
    select = match sort {
        VendorSort::Name => keyset::page::<_, String, _>(select, (Column::Name, Column::Id), Order::Asc, after, limit)?,
        VendorSort::NameDescending => {
            keyset::page::<_, String, _>(select, (Column::Name, Column::Id), Order::Desc, after, limit)?
        }
        VendorSort::CreatedAtDescending => {
            keyset::page::<_, Instant, _>(select, (Column::CreatedAt, Column::Id), Order::Desc, after, limit)?
        }
    };

    let Some(text) = &question.text else { return select.all(db).await.map_err(failed) };
    let words = domain::words::words(text);
    if words.is_empty() {
        return Ok(Vec::new());
    }
    for word in words {
        select = select.filter(text_search::has_word("vendors.search_text", word));
    }
    let transaction = text_search::begin(db).await?;
    let rows = select.all(&transaction).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(rows)
}

/// Adds a vendor as a draft, and tells it.
pub async fn insert(tx: &Tx, id: VendorId, profile: VendorProfile, now: Instant) -> Result<Model, Fault> {
    let VendorProfile { name, kind, description, email, phone, website } = profile;
    let row = ActiveModel {
        id: Set(id),
        name: Set(name),
        kind: Set(kind),
        description: Set(description),
        email: Set(email),
        phone: Set(phone),
        website: Set(website),
        status: Set(VendorStatus::Draft),
        status_reason: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
    };
    let row = row.insert(tx).await.map_err(failed)?;
    tx.emit(&VendorRegistered(replies::vendor_state(&row))).await?;
    Ok(row)
}

/// Replaces what a vendor says of itself, and tells it.
pub async fn replace(tx: &Tx, row: Model, profile: VendorProfile, now: Instant) -> Result<Model, Fault> {
    let VendorProfile { name, kind, description, email, phone, website } = profile;
    let version = row.version + 1;
    let mut changed = row.into_active_model();
    changed.name = Set(name);
    changed.kind = Set(kind);
    changed.description = Set(description);
    changed.email = Set(email);
    changed.phone = Set(phone);
    changed.website = Set(website);
    changed.updated_at = Set(now);
    changed.version = Set(version);
    let row = changed.update(tx).await.map_err(failed)?;
    tx.emit(&VendorUpdated(replies::vendor_state(&row))).await?;
    Ok(row)
}

/// Moves a vendor to another status, and tells it.
pub async fn set_status(
    tx: &Tx,
    row: Model,
    status: VendorStatus,
    reason: Option<&str>,
    now: Instant,
) -> Result<Model, Fault> {
    let version = row.version + 1;
    let mut changed = row.into_active_model();
    changed.status = Set(status);
    changed.status_reason = Set(reason.map(str::to_owned));
    changed.updated_at = Set(now);
    changed.version = Set(version);
    let row = changed.update(tx).await.map_err(failed)?;
    let state = replies::vendor_state(&row);
    match status {
        VendorStatus::Draft | VendorStatus::Submitted => tx.emit(&VendorUpdated(state)).await?,
        VendorStatus::Approved => tx.emit(&VendorApproved(state)).await?,
        VendorStatus::Rejected => tx.emit(&VendorRejected(state)).await?,
        VendorStatus::Suspended => tx.emit(&VendorSuspended(state)).await?,
    }
    Ok(row)
}

/// Removes a vendor with all that belongs to it, and tells each removal.
pub async fn remove(tx: &Tx, row: Model, now: Instant) -> Result<(), Fault> {
    let staff_rows = staff_entity::Entity::find()
        .filter(staff_entity::Column::VendorId.eq(row.id))
        .order_by_asc(staff_entity::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await
        .map_err(failed)?;
    for member in staff::with_links(tx, staff_rows).await? {
        staff::remove(tx, member).await?;
    }
    let clinic_rows = clinic::Entity::find()
        .filter(clinic::Column::VendorId.eq(row.id))
        .order_by_asc(clinic::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await
        .map_err(failed)?;
    for clinic_row in clinic_rows {
        clinics::remove(tx, clinic_row, now).await?;
    }
    let membership_rows = membership::Entity::find()
        .filter(membership::Column::VendorId.eq(row.id))
        .filter(membership::Column::Status.ne(MembershipStatus::Revoked))
        .order_by_asc(membership::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await
        .map_err(failed)?;
    for membership_row in membership_rows {
        memberships::revoke(tx, membership_row, now).await?;
    }
    let tombstone = VendorState { removed: true, version: row.version + 1, ..replies::vendor_state(&row) };
    row.delete(tx).await.map_err(failed)?;
    tx.emit(&VendorUpdated(tombstone)).await?;
    Ok(())
}
