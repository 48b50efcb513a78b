//! Pets.

use super::dates;
use super::errors::ProfileError;
use super::values::{AgeSort, PetAccess, Sex, Species};
use crate::access::{Access, MembershipRole, Who};
use crate::ids::{PetId, UserId};
use crate::paging::{MAX_LIMIT, Page};
use crate::request::{Effect, Request, Rest};
use crate::rules;
use crate::time::Instant;
use chrono::NaiveDate;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many pets a person may have.
pub const MAX_PETS: u16 = 50;
/// The heaviest pet, in grams: horses are not kept here.
pub const MAX_WEIGHT_GRAMS: u32 = 500_000;

/// A pet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pet {
    /// Its id.
    pub id: PetId,
    /// Whose it is.
    pub owner_id: UserId,
    /// What it is called.
    pub name: String,
    /// The kind of animal.
    pub species: Species,
    /// The breed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breed: Option<String>,
    /// Its sex.
    pub sex: Sex,
    /// Whether it is neutered; absent: nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neutered: Option<bool>,
    /// When it was born.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<NaiveDate>,
    /// What it weighs, in grams; what it weighed when stands in its records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<u32>,
    /// The number of its microchip (ISO 11784).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub microchip: Option<String>,
    /// The address of its picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo_url: Option<String>,
    /// What those who care for it should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// What the caller is to it.
    pub access: PetAccess,
    /// With whom it is shared; only its owner and services see that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared_with: Option<Vec<UserId>>,
    /// When it was added.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// Counts its changes, those of who shares it among them.
    pub version: i64,
}

/// The caller's pets and those that others share with them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindPets {
    /// Only this kind of animal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub species: Option<Species>,
    /// True: only the caller's own; false: only those that others share with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub own: Option<bool>,
    /// The order; the earliest added first unless told.
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

impl Request for FindPets {
    const SUBJECT: &'static str = "pet.findAll";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/pets")];
    type Reply = Page<Pet>;
    type Error = ProfileError;
}

/// One pet, for its owner and household, and for staff of a clinic where it has a booking: one that is to come, or whose
/// visit was less than 30 days ago.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindPet {
    /// The pet.
    #[serde(alias = "petId")]
    #[garde(skip)]
    pub id: PetId,
}

impl Request for FindPet {
    const SUBJECT: &'static str = "pet.findOne";
    const ACCESS: Access = Access(&[Who::Owner, Who::Member(MembershipRole::ClinicStaff), Who::Service]);
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/pets/{id}")];
    type Reply = Pet;
    type Error = ProfileError;
}

/// Adds a pet of the caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CreatePet {
    /// What it is called: 1 to 80 characters.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 80), custom(rules::readable))]
    pub name: String,
    /// The kind of animal.
    #[garde(skip)]
    pub species: Species,
    /// The breed: 1 to 80 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 80), custom(rules::readable_if_present))]
    pub breed: Option<String>,
    /// Its sex; `unknown` unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub sex: Option<Sex>,
    /// Whether it is neutered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub neutered: Option<bool>,
    /// When it was born, not in the future.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(dates::of_a_life_if_present))]
    pub birth_date: Option<NaiveDate>,
    /// What it weighs: 1 to 500,000 grams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = MAX_WEIGHT_GRAMS))]
    pub weight_grams: Option<u32>,
    /// The number of its microchip: 15 digits (ISO 11784).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(pattern(r"^[0-9]{15}$"))]
    pub microchip: Option<String>,
    /// The address of its picture, http or https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::WEB_ADDRESS))]
    #[garde(length(chars, max = 500), custom(rules::web_address_if_present))]
    pub photo_url: Option<String>,
    /// What those who care for it should know: at most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 2000), custom(rules::readable_if_present))]
    pub notes: Option<String>,
}

impl Request for CreatePet {
    const SUBJECT: &'static str = "pet.create";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::post("/pets", 201)];
    type Reply = Pet;
    type Error = ProfileError;
}

/// Replaces what is known of a pet; what is left out is cleared. Only its owner may. Needs `If-Match`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct UpdatePet {
    /// The pet.
    #[garde(skip)]
    pub id: PetId,
    /// What it is called: 1 to 80 characters.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 80), custom(rules::readable))]
    pub name: String,
    /// The kind of animal.
    #[garde(skip)]
    pub species: Species,
    /// The breed: 1 to 80 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 80), custom(rules::readable_if_present))]
    pub breed: Option<String>,
    /// Its sex; `unknown` unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub sex: Option<Sex>,
    /// Whether it is neutered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub neutered: Option<bool>,
    /// When it was born, not in the future.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(dates::of_a_life_if_present))]
    pub birth_date: Option<NaiveDate>,
    /// What it weighs: 1 to 500,000 grams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = MAX_WEIGHT_GRAMS))]
    pub weight_grams: Option<u32>,
    /// The number of its microchip: 15 digits (ISO 11784).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(pattern(r"^[0-9]{15}$"))]
    pub microchip: Option<String>,
    /// The address of its picture, http or https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::WEB_ADDRESS))]
    #[garde(length(chars, max = 500), custom(rules::web_address_if_present))]
    pub photo_url: Option<String>,
    /// What those who care for it should know: at most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 2000), custom(rules::readable_if_present))]
    pub notes: Option<String>,
}

impl Request for UpdatePet {
    const SUBJECT: &'static str = "pet.update";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::put("/pets/{id}")];
    type Reply = Pet;
    type Error = ProfileError;
}

/// Removes a pet with its records and shares, for good. Only its owner may. Bookings keep its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct RemovePet {
    /// The pet.
    #[garde(skip)]
    pub id: PetId,
}

impl Request for RemovePet {
    const SUBJECT: &'static str = "pet.remove";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::delete("/pets/{id}", 204)];
    type Reply = ();
    type Error = ProfileError;
}
