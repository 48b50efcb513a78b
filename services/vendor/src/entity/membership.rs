//! Memberships.

use sea_orm::entity::prelude::*;
use subjects::MembershipRole;
use subjects::ids::{ClinicId, MembershipId, UserId, VendorId};
use subjects::time::Instant;
use subjects::vendor::MembershipStatus;

/// A membership of a user at a vendor.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "memberships")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: MembershipId,
    /// The vendor.
    pub vendor_id: VendorId,
    /// The one clinic it is for; null: all of the vendor's.
    pub clinic_id: Option<ClinicId>,
    /// The user.
    pub user_id: UserId,
    /// What the user may do there.
    pub role: MembershipRole,
    /// Where it stands.
    pub status: MembershipStatus,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// Grows with every change.
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
