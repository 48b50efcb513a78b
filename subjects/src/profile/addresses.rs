//! Addresses of a person, as Indonesia writes them.

use super::errors::ProfileError;
use super::values::AgeSort;
use crate::access::{Access, Who};
use crate::ids::{AddressId, UserId};
use crate::paging::{MAX_LIMIT, Page};
use crate::request::{Effect, Request, Rest};
use crate::rules;
use crate::time::Instant;
use crate::vendor::Coordinates;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many addresses a person may have.
pub const MAX_ADDRESSES: u16 = 20;

/// A postal address as Indonesia writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct PostalAddress {
    /// Street and house number, building and floor: 1 to 200 characters.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 200), custom(rules::readable))]
    pub street: String,
    /// Neighbourhood (rukun tetangga): one to three digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(pattern(r"^[0-9]{1,3}$"))]
    pub rt: Option<String>,
    /// Hamlet (rukun warga): one to three digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(pattern(r"^[0-9]{1,3}$"))]
    pub rw: Option<String>,
    /// Village or urban quarter (kelurahan, desa).
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 100), custom(rules::readable))]
    pub village: String,
    /// District (kecamatan).
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 100), custom(rules::readable))]
    pub district: String,
    /// City or regency (kota, kabupaten).
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 100), custom(rules::readable))]
    pub city: String,
    /// Province.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 100), custom(rules::readable))]
    pub province: String,
    /// Postal code: five digits.
    #[garde(pattern(r"^[0-9]{5}$"))]
    pub postal_code: String,
    /// ISO 3166-1 alpha-2 country code; only `ID` for now.
    #[garde(pattern("^ID$"))]
    pub country: String,
}

/// An address of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SavedAddress {
    /// Its id.
    pub id: AddressId,
    /// Whose it is.
    pub user_id: UserId,
    /// What the person calls it.
    pub label: String,
    /// Who receives what is brought there.
    pub recipient: String,
    /// The recipient's telephone number.
    pub phone: String,
    /// Where it is.
    pub address: PostalAddress,
    /// Where it is on the globe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinates: Option<Coordinates>,
    /// What helps to find it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Whether it is the one that is taken unless another is named. Whoever has addresses has exactly one default.
    pub is_default: bool,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// Counts its changes.
    pub version: i64,
}

/// The caller's addresses, at most 20. A service names whose.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindAddresses {
    /// Whose; absent: the caller's. Only a service may name somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub user_id: Option<UserId>,
    /// The order; the earliest made first unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub sort: Option<AgeSort>,
    /// How many at the most; 20 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = MAX_LIMIT))]
    pub limit: Option<u16>,
    /// The `nextCursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = 500))]
    pub cursor: Option<String>,
}

impl Request for FindAddresses {
    const SUBJECT: &'static str = "address.findAll";
    const ACCESS: Access = OWNER_OR_SERVICE;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/addresses")];
    type Reply = Page<SavedAddress>;
    type Error = ProfileError;
}

const OWNER_OR_SERVICE: Access = Access(&[Who::Owner, Who::Service]);

/// One address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindAddress {
    /// The address.
    #[serde(alias = "addressId")]
    #[garde(skip)]
    pub id: AddressId,
}

impl Request for FindAddress {
    const SUBJECT: &'static str = "address.findOne";
    const ACCESS: Access = OWNER_OR_SERVICE;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/addresses/{id}")];
    type Reply = SavedAddress;
    type Error = ProfileError;
}

/// Adds an address of the caller. The first one is the default, whatever is said of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CreateAddress {
    /// What the person calls it, for example `Rumah`: 1 to 40 characters.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 40), custom(rules::readable))]
    pub label: String,
    /// Who receives what is brought there: 1 to 100 characters.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 100), custom(rules::readable))]
    pub recipient: String,
    /// The recipient's telephone number.
    #[garde(pattern(r"^\+?[0-9][0-9 ()-]{4,22}[0-9]$"))]
    pub phone: String,
    /// Where it is.
    #[garde(dive)]
    pub address: PostalAddress,
    /// Where it is on the globe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub coordinates: Option<Coordinates>,
    /// What helps to find it: at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 500), custom(rules::readable_if_present))]
    pub notes: Option<String>,
    /// Whether it is to be the default from now on, in place of the present one.
    #[serde(default)]
    #[garde(skip)]
    pub is_default: bool,
}

impl Request for CreateAddress {
    const SUBJECT: &'static str = "address.create";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::post("/addresses", 201)];
    type Reply = SavedAddress;
    type Error = ProfileError;
}

/// Replaces an address; what is left out is cleared. Needs `If-Match`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct UpdateAddress {
    /// The address.
    #[garde(skip)]
    pub id: AddressId,
    /// What the person calls it, for example `Rumah`: 1 to 40 characters.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 40), custom(rules::readable))]
    pub label: String,
    /// Who receives what is brought there: 1 to 100 characters.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 100), custom(rules::readable))]
    pub recipient: String,
    /// The recipient's telephone number.
    #[garde(pattern(r"^\+?[0-9][0-9 ()-]{4,22}[0-9]$"))]
    pub phone: String,
    /// Where it is.
    #[garde(dive)]
    pub address: PostalAddress,
    /// Where it is on the globe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub coordinates: Option<Coordinates>,
    /// What helps to find it: at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 500), custom(rules::readable_if_present))]
    pub notes: Option<String>,
    /// Whether it is to be the default, in place of the present one. The default itself stays it until another is made
    /// it.
    #[garde(skip)]
    pub is_default: bool,
}

impl Request for UpdateAddress {
    const SUBJECT: &'static str = "address.update";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::put("/addresses/{id}")];
    type Reply = SavedAddress;
    type Error = ProfileError;
}

/// Removes an address. Where it was the default, the earliest made of the others becomes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct RemoveAddress {
    /// The address.
    #[garde(skip)]
    pub id: AddressId,
}

impl Request for RemoveAddress {
    const SUBJECT: &'static str = "address.remove";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::delete("/addresses/{id}", 204)];
    type Reply = ();
    type Error = ProfileError;
}
