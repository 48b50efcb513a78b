//! Read model: who works for which vendor, as the vendor service's events tell. Each service that checks memberships has
//! a table of this shape in its schema.

use crate::error::Error;
use crate::read_model::ReadModel;
use chrono::{DateTime, Utc};
use identity::Membership;
use sea_orm::entity::prelude::*;
use subjects::ids::{ClinicId, MembershipId, UserId, VendorId};
use subjects::vendor::{MembershipSnapshot, MembershipState};
use subjects::{Fault, MembershipRole};

/// The table `memberships`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "memberships")]
pub struct Model {
    /// The membership.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MembershipId,
    /// The version of the event that told it.
    pub version: i64,
    /// When it was heard that it is gone.
    pub removed_at: Option<DateTime<Utc>>,
    /// The member.
    pub user_id: UserId,
    /// The vendor.
    pub vendor_id: VendorId,
    /// None: all clinics of the vendor.
    pub clinic_id: Option<ClinicId>,
    /// See [`MembershipRole::as_str`].
    pub role: String,
    /// Whether it gives rights.
    pub active: bool,
}

impl ActiveModelBehavior for ActiveModel {}

impl ReadModel for Entity {
    type Snapshot = MembershipSnapshot;

    fn row(state: MembershipState, removed: bool) -> Result<Option<Model>, Fault> {
        let MembershipState { membership_id, user_id, vendor_id, clinic_id, role, active, version } = state;
        Ok(Some(Model {
            id: membership_id,
            version,
            removed_at: removed.then(crate::clock::now),
            user_id,
            vendor_id,
            clinic_id,
            role: role.as_str().to_owned(),
            active: active && !removed,
        }))
    }

    fn gone(row: Model) -> Model {
        Model { active: false, ..row }
    }
}

/// A user's memberships at a vendor that give rights.
///
/// # Errors
/// The database's.
pub async fn at_vendor(
    db: &impl ConnectionTrait,
    user_id: UserId,
    vendor_id: VendorId,
) -> Result<Vec<Membership>, Error> {
    let rows = of_active(user_id).filter(Column::VendorId.eq(vendor_id)).all(db).await?;
    Ok(that_give_rights(rows))
}

/// All of a user's memberships that give rights.
///
/// # Errors
/// The database's.
pub async fn of_user(db: &impl ConnectionTrait, user_id: UserId) -> Result<Vec<Membership>, Error> {
    Ok(that_give_rights(of_active(user_id).all(db).await?))
}

fn of_active(user_id: UserId) -> Select<Entity> {
    Entity::find().filter(Column::UserId.eq(user_id)).filter(Column::Active.eq(true))
}

fn that_give_rights(rows: Vec<Model>) -> Vec<Membership> {
    // A role that a later version of the contract has gives no rights here.
    let known = rows.into_iter().filter_map(|row| {
        let role = MembershipRole::parse(&row.role)?;
        Some(Membership { user_id: row.user_id, vendor_id: row.vendor_id, clinic_id: row.clinic_id, role })
    });
    known.collect()
}
