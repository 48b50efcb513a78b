//! Vendors: businesses that offer services or sell, and their approval.

use super::WRITERS;
use super::error::VendorError;
use crate::access::Access;
use crate::auth::NewPassword;
use crate::cache::{Cache, Tag};
use crate::ids::{UserId, VendorId};
use crate::paging::{MAX_LIMIT, Page};
use crate::request::{Budget, Effect, Request, Rest};
use crate::rules;
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of business a vendor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sea-orm",
    derive(sea_orm::EnumIter, sea_orm::DeriveActiveEnum),
    sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")
)]
pub enum VendorKind {
    /// A veterinary clinic or hospital.
    Clinic,
    /// A groomer.
    Groomer,
    /// Someone who looks after pets.
    Sitter,
    /// A shop.
    Shop,
}

impl VendorKind {
    /// The name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            VendorKind::Clinic => "clinic",
            VendorKind::Groomer => "groomer",
            VendorKind::Sitter => "sitter",
            VendorKind::Shop => "shop",
        }
    }

    /// Reads a kind by its name.
    pub fn parse(name: &str) -> Option<VendorKind> {
        match name {
            "clinic" => Some(VendorKind::Clinic),
            "groomer" => Some(VendorKind::Groomer),
            "sitter" => Some(VendorKind::Sitter),
            "shop" => Some(VendorKind::Shop),
            _ => None,
        }
    }
}

/// Where a vendor stands in its approval. Only approved vendors, and what belongs to them, are seen by the public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sea-orm",
    derive(sea_orm::EnumIter, sea_orm::DeriveActiveEnum),
    sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")
)]
pub enum VendorStatus {
    /// Being filled in by its owner.
    Draft,
    /// Waiting for the platform's decision.
    Submitted,
    /// Open for business.
    Approved,
    /// Refused, with a reason; may be submitted again.
    Rejected,
    /// Taken off the platform, with a reason; may be approved again.
    Suspended,
}

impl VendorStatus {
    /// Every status.
    pub const ALL: [VendorStatus; 5] = [
        VendorStatus::Draft,
        VendorStatus::Submitted,
        VendorStatus::Approved,
        VendorStatus::Rejected,
        VendorStatus::Suspended,
    ];

    /// The name on the wire and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            VendorStatus::Draft => "draft",
            VendorStatus::Submitted => "submitted",
            VendorStatus::Approved => "approved",
            VendorStatus::Rejected => "rejected",
            VendorStatus::Suspended => "suspended",
        }
    }

    /// Reads a status by its name.
    pub fn parse(name: &str) -> Option<VendorStatus> {
        VendorStatus::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// A vendor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Vendor {
    /// Its id.
    pub id: VendorId,
    /// The name under which it does business.
    pub name: String,
    /// What kind of business it is.
    pub kind: VendorKind,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The business's e-mail address, for customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The business's telephone number, for customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Its web site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// Where it stands in its approval.
    pub status: VendorStatus,
    /// Why it was rejected or suspended; only its members and platform admins see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// Counts its changes.
    pub version: i64,
}

/// The order of a list of vendors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum VendorSort {
    /// By name.
    #[serde(rename = "name")]
    Name,
    /// By name, the other way round.
    #[serde(rename = "-name")]
    NameDescending,
    /// The latest made first.
    #[serde(rename = "-createdAt")]
    CreatedAtDescending,
}

/// Lists vendors, newest first unless told: the approved ones, and those where the caller is a member. A platform admin sees
/// all of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindVendors {
    /// Words of the name or description; typing errors are forgiven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 100), custom(rules::readable_if_present))]
    pub text: Option<String>,
    /// Only of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub kind: Option<VendorKind>,
    /// Only with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub status: Option<VendorStatus>,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub sort: Option<VendorSort>,
    /// How many at the most; 20 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = MAX_LIMIT))]
    pub limit: Option<u16>,
    /// The `nextCursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = 500))]
    pub cursor: Option<String>,
}

impl Request for FindVendors {
    const SUBJECT: &'static str = "vendor.findAll";
    const ACCESS: Access = Access::SHOWN;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/vendors")];
    type Reply = Page<Vendor>;
    type Error = VendorError;
}

/// Reads one vendor. One that is not approved is only there for its members and platform admins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct FindVendor {
    /// The vendor. Document 003 writes `vendorId`.
    #[serde(alias = "vendorId")]
    pub id: VendorId,
}

impl Request for FindVendor {
    const SUBJECT: &'static str = "vendor.findOne";
    const ALIASES: &'static [&'static str] = &["getVendorById"];
    const ACCESS: Access = Access::SHOWN;
    const EFFECT: Effect = Effect::Read;
    const CACHE: Option<Cache> = Some(Cache { made_of: &[Tag::One { entity: "vendor", id_field: "id" }] });
    const REST: &'static [Rest] = &[Rest::get("/vendors/{id}")];
    type Reply = Vendor;
    type Error = VendorError;
}

/// The person who registers a vendor, as an account is made for them.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct NewOwner {
    /// The e-mail address to sign in with.
    #[garde(email, length(max = 254))]
    pub email: String,
    /// 8 to 128 characters, not one of the most common passwords.
    #[garde(dive)]
    pub password: NewPassword,
    /// Given name.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 100), custom(rules::readable))]
    pub first_name: String,
    /// Family name, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 100), custom(rules::readable_if_present))]
    pub last_name: Option<String>,
    /// Telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(pattern(r"^\+?[0-9][0-9 ()-]{4,22}[0-9]$"))]
    pub phone_number: Option<String>,
}

/// Says nothing of the person, so that no log ever holds who registers.
impl std::fmt::Debug for NewOwner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewOwner { .. }")
    }
}

/// Registers a vendor together with the account of its owner, without a token (document 003, flow 3). Both come
/// to be, or neither. The answer holds no tokens: the owner signs in with the password.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct RegisterVendor {
    /// Who registers it.
    #[garde(dive)]
    pub owner: NewOwner,
    /// The name under which it does business.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 120), custom(rules::readable))]
    pub name: String,
    /// What kind of business it is.
    #[garde(skip)]
    pub kind: VendorKind,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 4000), custom(rules::readable_if_present))]
    pub description: Option<String>,
    /// The business's e-mail address, for customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(email, length(max = 254))]
    pub email: Option<String>,
    /// The business's telephone number, for customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(pattern(r"^\+?[0-9][0-9 ()-]{4,22}[0-9]$"))]
    pub phone: Option<String>,
    /// Its web site, with its scheme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::WEB_ADDRESS))]
    #[garde(length(max = 300), custom(rules::web_address_if_present))]
    pub website: Option<String>,
}

/// A registered vendor and its owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegisteredVendor {
    /// The account that was made; it can sign in.
    pub user_id: UserId,
    /// The vendor, a draft until its owner submits it.
    pub vendor: Vendor,
}

impl Request for RegisterVendor {
    const SUBJECT: &'static str = "vendor.register";
    const ACCESS: Access = Access::PUBLIC;
    const EFFECT: Effect = Effect::Keyed;
    const BUDGET: Budget = Budget::Credentials;
    const REST: &'static [Rest] = &[Rest::post("/vendors", 201).anonymous()];
    type Reply = RegisteredVendor;
    type Error = VendorError;
}

/// Makes a vendor of which the caller becomes the first `clinic_admin`. It begins as a draft.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CreateVendor {
    /// The name under which it does business.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 120), custom(rules::readable))]
    pub name: String,
    /// What kind of business it is.
    #[garde(skip)]
    pub kind: VendorKind,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 4000), custom(rules::readable_if_present))]
    pub description: Option<String>,
    /// The business's e-mail address, for customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(email, length(max = 254))]
    pub email: Option<String>,
    /// The business's telephone number, for customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(pattern(r"^\+?[0-9][0-9 ()-]{4,22}[0-9]$"))]
    pub phone: Option<String>,
    /// Its web site, with its scheme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::WEB_ADDRESS))]
    #[garde(length(max = 300), custom(rules::web_address_if_present))]
    pub website: Option<String>,
}

impl Request for CreateVendor {
    const SUBJECT: &'static str = "vendor.create";
    const ACCESS: Access = Access::SIGNED_IN;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::post("/vendors", 201).signed_in()];
    type Reply = Vendor;
    type Error = VendorError;
}

/// Replaces what a vendor says of itself; what is left out is cleared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct UpdateVendor {
    /// The vendor.
    #[garde(skip)]
    pub id: VendorId,
    /// The name under which it does business.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 120), custom(rules::readable))]
    pub name: String,
    /// What kind of business it is.
    #[garde(skip)]
    pub kind: VendorKind,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 4000), custom(rules::readable_if_present))]
    pub description: Option<String>,
    /// The business's e-mail address, for customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(email, length(max = 254))]
    pub email: Option<String>,
    /// The business's telephone number, for customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(pattern(r"^\+?[0-9][0-9 ()-]{4,22}[0-9]$"))]
    pub phone: Option<String>,
    /// Its web site, with its scheme.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::WEB_ADDRESS))]
    #[garde(length(max = 300), custom(rules::web_address_if_present))]
    pub website: Option<String>,
}

impl Request for UpdateVendor {
    const SUBJECT: &'static str = "vendor.update";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::put("/vendors/{id}")];
    type Reply = Vendor;
    type Error = VendorError;
}

/// Removes a vendor with its clinics, services, staff and memberships. Bookings keep what they were made with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct RemoveVendor {
    /// The vendor.
    pub id: VendorId,
}

impl Request for RemoveVendor {
    const SUBJECT: &'static str = "vendor.remove";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::delete("/vendors/{id}", 204)];
    type Reply = ();
    type Error = VendorError;
}
