//! The records of a pet. They only grow: a correction is an entry of its own that replaces an earlier one.

use super::dates;
use super::errors::ProfileError;
use super::pets::MAX_WEIGHT_GRAMS;
use super::values::{AgeSort, AuthorKind, RecordKind, Severity};
use crate::access::{Access, MembershipRole, Who};
use crate::ids::{ClinicId, PetId, PetRecordId, UserId, VendorId};
use crate::paging::{MAX_LIMIT, Page};
use crate::request::{Effect, Request, Rest};
use crate::rules;
use crate::time::Instant;
use chrono::NaiveDate;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many entries the records of a pet hold at the most.
pub const MAX_RECORDS: u16 = 2_000;

const READERS: Access = Access(&[Who::Owner, Who::Member(MembershipRole::ClinicStaff)]);

/// A vaccination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Vaccination {
    /// What was given, for example `Rabies`: 1 to 100 characters.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 100), custom(rules::readable))]
    pub vaccine: String,
    /// When it was given, not in the future.
    #[garde(custom(dates::of_a_life))]
    pub given_on: NaiveDate,
    /// When it is due again, after it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(dates::of_a_life_if_present), custom(after(self.given_on)))]
    pub due_on: Option<NaiveDate>,
    /// The batch that it came from: 1 to 40 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 40), custom(rules::readable_if_present))]
    pub batch: Option<String>,
}

fn after(given_on: NaiveDate) -> impl FnOnce(&Option<NaiveDate>, &()) -> garde::Result {
    move |due_on, ()| match due_on {
        Some(due_on) if *due_on <= given_on => Err(garde::Error::new("must be after it was given")),
        _ => Ok(()),
    }
}

/// An allergy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Allergy {
    /// What the pet does not bear: 1 to 100 characters.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 100), custom(rules::readable))]
    pub substance: String,
    /// How badly.
    #[garde(skip)]
    pub severity: Severity,
    /// How it shows: at most 1,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 1000), custom(rules::readable_if_present))]
    pub note: Option<String>,
}

/// A weighing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Weighing {
    /// 1 to 500,000 grams.
    #[garde(range(min = 1, max = MAX_WEIGHT_GRAMS))]
    pub grams: u32,
    /// When, not in the future.
    #[garde(custom(dates::of_a_life))]
    pub measured_on: NaiveDate,
}

/// Who wrote an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordAuthor {
    /// In what capacity.
    pub kind: AuthorKind,
    /// The user; absent where the person's data was erased since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The vendor for which staff wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_id: Option<VendorId>,
    /// The clinic at which staff wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clinic_id: Option<ClinicId>,
}

/// An entry of a pet's records: of `vaccination`, `allergy`, `weight` and `note` the one that its kind says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PetRecord {
    /// Its id.
    pub id: PetRecordId,
    /// The pet.
    pub pet_id: PetId,
    /// What it is about.
    pub kind: RecordKind,
    /// A vaccination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vaccination: Option<Vaccination>,
    /// An allergy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allergy: Option<Allergy>,
    /// A weighing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Weighing>,
    /// A note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who wrote it.
    pub author: RecordAuthor,
    /// The entry that this one corrects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<PetRecordId>,
    /// The entry that corrects this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<PetRecordId>,
    /// When it was written.
    pub created_at: Instant,
}

/// The records of a pet, the latest written first unless told, for its owner and household, and for staff of a clinic
/// where it has a booking: one that is to come, or whose visit was less than 30 days ago.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindPetRecords {
    /// The pet.
    #[garde(skip)]
    pub pet_id: PetId,
    /// Only entries of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub kind: Option<RecordKind>,
    /// True: also entries that were corrected since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub with_replaced: Option<bool>,
    /// The order; the latest written first unless told.
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

impl Request for FindPetRecords {
    const SUBJECT: &'static str = "petRecord.findAll";
    const ACCESS: Access = READERS;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/pets/{petId}/records")];
    type Reply = Page<PetRecord>;
    type Error = ProfileError;
}

/// Adds an entry to a pet's records: exactly one of `vaccination`, `allergy`, `weight` and `note`.
///
/// Its owner and those of the household who care for it may, and staff of a clinic where it has a booking. Nothing is
/// ever changed: a correction names in `replaces` what it corrects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CreatePetRecord {
    /// The pet.
    #[garde(skip)]
    pub pet_id: PetId,
    /// A vaccination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub vaccination: Option<Vaccination>,
    /// An allergy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub allergy: Option<Allergy>,
    /// A weighing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub weight: Option<Weighing>,
    /// A note: 1 to 4,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(
        length(chars, min = 1, max = 4000),
        custom(rules::readable_if_present),
        custom(one_thing(self.vaccination.is_some(), self.allergy.is_some(), self.weight.is_some()))
    )]
    pub note: Option<String>,
    /// The entry that this one corrects, of the same kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub replaces: Option<PetRecordId>,
}

fn one_thing(vaccination: bool, allergy: bool, weight: bool) -> impl FnOnce(&Option<String>, &()) -> garde::Result {
    move |note, ()| {
        let given = [vaccination, allergy, weight, note.is_some()];
        match given.into_iter().filter(|is_given| *is_given).count() {
            1 => Ok(()),
            _ => Err(garde::Error::new("give exactly one of vaccination, allergy, weight and note")),
        }
    }
}

impl Request for CreatePetRecord {
    const SUBJECT: &'static str = "petRecord.create";
    const ACCESS: Access = READERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::post("/pets/{petId}/records", 201)];
    type Reply = PetRecord;
    type Error = ProfileError;
}
