//! The records of pets.

use sea_orm::FromJsonQueryResult;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use subjects::ids::{ClinicId, PetId, PetRecordId, UserId, VendorId};
use subjects::profile::{Allergy, AuthorKind, RecordKind, Vaccination, Weighing};
use subjects::time::Instant;

/// What an entry says, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase")]
pub enum Details {
    Vaccination(Vaccination),
    Allergy(Allergy),
    Weight(Weighing),
    Note(String),
}

impl Details {
    pub fn kind(&self) -> RecordKind {
        match self {
            Details::Vaccination(_) => RecordKind::Vaccination,
            Details::Allergy(_) => RecordKind::Allergy,
            Details::Weight(_) => RecordKind::Weight,
            Details::Note(_) => RecordKind::Note,
        }
    }
}

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pet_records")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PetRecordId,
    pub pet_id: PetId,
    pub kind: RecordKind,
    #[sea_orm(column_type = "JsonBinary")]
    pub details: Details,
    pub author_kind: AuthorKind,
    /// None where the author's data was erased.
    pub author_id: Option<UserId>,
    pub vendor_id: Option<VendorId>,
    pub clinic_id: Option<ClinicId>,
    /// The entry that this one corrects.
    pub replaces: Option<PetRecordId>,
    pub created_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
