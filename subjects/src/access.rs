//! Who may call an operation.

use crate::role::Role;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a member of a vendor may do there. Memberships never travel in tokens: they are kept by the vendor
/// service, told by `membership.*` events, and looked up wherever they are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sea-orm",
    derive(sea_orm::EnumIter, sea_orm::DeriveActiveEnum),
    sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")
)]
pub enum MembershipRole {
    /// Works at the clinic: sees and handles its bookings.
    ClinicStaff,
    /// Runs the vendor: may do all that staff may, and change vendor, clinics, services, staff and members.
    ClinicAdmin,
}

impl MembershipRole {
    /// The name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            MembershipRole::ClinicStaff => "clinic_staff",
            MembershipRole::ClinicAdmin => "clinic_admin",
        }
    }

    /// Reads a membership role by its name.
    pub fn parse(name: &str) -> Option<MembershipRole> {
        match name {
            "clinic_staff" => Some(MembershipRole::ClinicStaff),
            "clinic_admin" => Some(MembershipRole::ClinicAdmin),
            _ => None,
        }
    }
}

/// One kind of caller that an operation lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// Everybody, with or without a token.
    Public,
    /// Any signed-in user.
    SignedIn,
    /// A user with this role.
    Role(Role),
    /// A user one of whose roles has the operation's permission ([`Request::PERMISSION`](crate::Request::PERMISSION)):
    /// those who run the platform, and whomever they have given it to. Such a user may do it with everybody's rows.
    Permitted,
    /// A signed-in user with at least this membership at the vendor of the row; the handler checks the row.
    Member(MembershipRole),
    /// A signed-in user to whom the row belongs; the handler checks the row.
    Owner,
    /// Another service, by its own service token, whoever the user may be.
    Service,
}

/// The access rule of an operation: a caller passes when any of its kinds lets it in.
///
/// The dispatcher decides what the tokens alone can tell; for [`Who::Owner`] and [`Who::Member`] it only asks
/// for a signed-in user and the handler decides on the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access(pub &'static [Who]);

impl Access {
    /// Everybody.
    pub const PUBLIC: Access = Access(&[Who::Public]);
    /// Any signed-in user.
    pub const SIGNED_IN: Access = Access(&[Who::SignedIn]);
    /// Only the owner of the row.
    pub const OWNER: Access = Access(&[Who::Owner]);
    /// Only other services.
    pub const SERVICE: Access = Access(&[Who::Service]);
    /// Only those who run the platform, and whomever they have given the operation's permission to.
    pub const PERMITTED: Access = Access(&[Who::Permitted]);
    /// Everybody; whoever has the operation's permission sees what the public does not, too.
    pub const SHOWN: Access = Access(&[Who::Public, Who::Permitted]);

    /// Whether a caller without any token passes.
    pub const fn is_public(self) -> bool {
        let mut index = 0;
        while index < self.0.len() {
            #[allow(clippy::indexing_slicing, reason = "bounded by the loop; iterators are not const")]
            if matches!(self.0[index], Who::Public) {
                return true;
            }
            index += 1;
        }
        false
    }

    /// Whether there is a permission for the operation.
    pub const fn takes_permission(self) -> bool {
        let mut index = 0;
        while index < self.0.len() {
            #[allow(clippy::indexing_slicing, reason = "bounded by the loop; iterators are not const")]
            if matches!(self.0[index], Who::Permitted) {
                return true;
            }
            index += 1;
        }
        false
    }

    /// Whether the operation can be reached by a user at all, rather than by services only.
    pub fn admits_users(self) -> bool {
        self.0.iter().any(|who| !matches!(who, Who::Service))
    }
}
