//! Memberships: what a user may do at a vendor, at all its clinics or at one.

use super::WRITERS;
use super::error::VendorError;
use crate::access::{Access, MembershipRole, Who};
use crate::audit::Audit;
use crate::ids::{ClinicId, MembershipId, UserId, VendorId};
use crate::paging::{MAX_LIMIT, Page};
use crate::request::{Effect, Request, Rest};
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Everybody sees and ends what they are themselves.
const WRITERS_OR_ONESELF: Access = Access(&[Who::Owner, Who::Member(MembershipRole::ClinicAdmin), Who::Permitted]);

/// Where a membership stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sea-orm",
    derive(sea_orm::EnumIter, sea_orm::DeriveActiveEnum),
    sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")
)]
pub enum MembershipStatus {
    /// Offered to the user, who has not accepted it yet; it gives no rights.
    Invited,
    /// In force.
    Active,
    /// Ended.
    Revoked,
}

impl MembershipStatus {
    /// The name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            MembershipStatus::Invited => "invited",
            MembershipStatus::Active => "active",
            MembershipStatus::Revoked => "revoked",
        }
    }

    /// Reads a status by its name.
    pub fn parse(name: &str) -> Option<MembershipStatus> {
        match name {
            "invited" => Some(MembershipStatus::Invited),
            "active" => Some(MembershipStatus::Active),
            "revoked" => Some(MembershipStatus::Revoked),
            _ => None,
        }
    }
}

/// A membership of a user at a vendor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Membership {
    /// Its id.
    pub id: MembershipId,
    /// The vendor.
    pub vendor_id: VendorId,
    /// The one clinic that it is for; absent: all of the vendor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    /// Counts its changes.
    pub version: i64,
}

/// The order of a list of memberships.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum MembershipSort {
    /// The earliest made first.
    #[serde(rename = "createdAt")]
    CreatedAt,
    /// The latest made first.
    #[serde(rename = "-createdAt")]
    CreatedAtDescending,
}

/// Lists memberships, oldest first unless told: those of a vendor, for its administrators, or without a vendor the caller's
/// own ones, invitations among them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindMemberships {
    /// The vendor; absent: the caller's own memberships anywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub vendor_id: Option<VendorId>,
    /// Only with this status; revoked ones are shown only when they are asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub status: Option<MembershipStatus>,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub sort: Option<MembershipSort>,
    /// How many at the most; 20 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = MAX_LIMIT))]
    pub limit: Option<u16>,
    /// The `nextCursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = 500))]
    pub cursor: Option<String>,
}

impl Request for FindMemberships {
    const SUBJECT: &'static str = "membership.findAll";
    const ACCESS: Access = WRITERS_OR_ONESELF;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/vendors/{vendorId}/members"), Rest::get("/memberships")];
    type Reply = Page<Membership>;
    type Error = VendorError;
}

/// Offers a user a membership. It gives no rights before the user accepts it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub struct InviteMember {
    /// The vendor.
    pub vendor_id: VendorId,
    /// The user, by the id that `GET /auth/me` shows them.
    pub user_id: UserId,
    /// What the user will be allowed to do.
    pub role: MembershipRole,
    /// The one clinic that it is for; absent: all of the vendor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clinic_id: Option<ClinicId>,
}

impl Request for InviteMember {
    const SUBJECT: &'static str = "membership.invite";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const AUDIT: Audit = Audit::Always;
    const REST: &'static [Rest] = &[Rest::post("/vendors/{vendorId}/members", 201)];
    type Reply = Membership;
    type Error = VendorError;
}

/// Accepts an invitation; only the user who was invited can.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub struct AcceptMembership {
    /// The vendor.
    pub vendor_id: VendorId,
    /// The membership.
    pub id: MembershipId,
}

impl Request for AcceptMembership {
    const SUBJECT: &'static str = "membership.accept";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Idempotent;
    const AUDIT: Audit = Audit::Always;
    const REST: &'static [Rest] = &[Rest::post("/vendors/{vendorId}/members/{id}/accept", 200)];
    type Reply = Membership;
    type Error = VendorError;
}

/// Changes what a member may do, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub struct UpdateMembership {
    /// The vendor.
    pub vendor_id: VendorId,
    /// The membership.
    pub id: MembershipId,
    /// What the user may do from now on.
    pub role: MembershipRole,
    /// The one clinic that it is for; absent: all of the vendor's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clinic_id: Option<ClinicId>,
}

impl Request for UpdateMembership {
    const SUBJECT: &'static str = "membership.update";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const AUDIT: Audit = Audit::Always;
    const REST: &'static [Rest] = &[Rest::put("/vendors/{vendorId}/members/{id}")];
    type Reply = Membership;
    type Error = VendorError;
}

/// Ends a membership, or takes an invitation back. Members may end their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub struct RevokeMembership {
    /// The vendor.
    pub vendor_id: VendorId,
    /// The membership.
    pub id: MembershipId,
}

impl Request for RevokeMembership {
    const SUBJECT: &'static str = "membership.revoke";
    const ACCESS: Access = WRITERS_OR_ONESELF;
    const EFFECT: Effect = Effect::Keyed;
    const AUDIT: Audit = Audit::Always;
    const REST: &'static [Rest] = &[Rest::delete("/vendors/{vendorId}/members/{id}", 204)];
    type Reply = ();
    type Error = VendorError;
}
