//! Who may call an operation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A role that a user holds on the whole platform. It travels in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Someone who books and buys. Documents 002 and 004 call it `user`.
    #[serde(alias = "user")]
    Customer,
    /// Someone who runs the platform. Documents 002 and 004 call it `admin`.
    #[serde(alias = "admin")]
    PlatformAdmin,
}

impl Role {
    /// Every role there is.
    pub const ALL: [Role; 2] = [Role::Customer, Role::PlatformAdmin];

    /// The name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Customer => "customer",
            Role::PlatformAdmin => "platform_admin",
        }
    }

    /// Reads a role by its name or its older name.
    pub fn parse(name: &str) -> Option<Role> {
        match name {
            "customer" | "user" => Some(Role::Customer),
            "platform_admin" | "admin" => Some(Role::PlatformAdmin),
            _ => None,
        }
    }
}

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
    /// Only those who run the platform.
    pub const PLATFORM_ADMIN: Access = Access(&[Who::Role(Role::PlatformAdmin)]);

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

    /// Whether the operation can be reached by a user at all, rather than by services only.
    pub fn admits_users(self) -> bool {
        self.0.iter().any(|who| !matches!(who, Who::Service))
    }
}
