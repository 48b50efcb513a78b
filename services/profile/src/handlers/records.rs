//! The records of pets.

use crate::access::Standing;
use crate::domain::dates;
use crate::entity::pet_records::{Details, Model};
use crate::repo::by_age::Part;
use crate::repo::{pets, records};
use crate::{Cx, convert, entity};
use store::Tx;
use subjects::ids::{PetRecordId, UserId};
use subjects::profile::{
    AgeSort, AuthorKind, CreatePetRecord, FindPetRecords, PetRecord, ProfileError, RecordKind, ShareRole,
};
use subjects::time::Instant;
use subjects::{Fault, Page, Violation};

/// `petRecord.findAll`.
pub async fn find_all(cx: Cx, request: FindPetRecords) -> Result<Page<PetRecord>, ProfileError> {
    let user_id = cx.caller().user()?.id;
    let db = cx.app.store.read();
    let pet = pets::find(db, request.pet_id).await?.ok_or(ProfileError::PetNotFound)?;
    Standing::of(db, user_id, &pet).await?.ok_or(ProfileError::PetNotFound)?;

    let sort = request.sort.unwrap_or(AgeSort::CreatedAtDescending);
    let part = Part::of(sort, request.cursor.as_deref(), request.limit)?;
    let page = records::list(db, &request, &part).await?;
    let corrections = match request.with_replaced {
        Some(true) => records::corrections_of(db, page.items.iter().map(|row| row.id).collect()).await?,
        _ => Default::default(),
    };
    Ok(page.map(|row| {
        let replaced_by = corrections.get(&row.id).copied();
        convert::record(row, replaced_by)
    }))
}

/// `petRecord.create`: by the pet's owner, those of the household who care for it, and staff who treat it.
pub async fn create(cx: Cx, request: CreatePetRecord) -> Result<PetRecord, ProfileError> {
    let user_id = cx.caller().user()?.id;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            // Held, so that whoever ends the writer's share does it before or after.
            let pet = pets::lock(&tx, request.pet_id).await?.ok_or(ProfileError::PetNotFound)?;
            let standing = Standing::of(&tx, user_id, &pet).await?.ok_or(ProfileError::PetNotFound)?;
            let row = entry(request, standing, user_id, store::now())?;
            check_what_it_corrects(&tx, &row).await?;
            let row = match row.kind {
                RecordKind::Weight => weigh(&tx, pet, row).await?,
                RecordKind::Vaccination | RecordKind::Allergy | RecordKind::Note => records::insert(&tx, row).await?,
            };
            Ok(convert::record(row, None))
        })
        .await
}

/// Adds a weighing. A pet weighs what it was last weighed at: that may be this entry or, where the entry corrects the one
/// that was the latest, whichever is the latest then. What an earlier date tells does not touch what the owner has said.
async fn weigh(tx: &Tx, pet: entity::pets::Model, row: Model) -> Result<Model, ProfileError> {
    let told_before = records::latest_weighing(tx, pet.id).await?.map(|(id, _)| id);
    let row = records::insert(tx, row).await?;
    let corrects_the_latest = row.replaces.is_some() && row.replaces == told_before;
    if let Some((id, weighing)) = records::latest_weighing(tx, pet.id).await?
        && (id == row.id || corrects_the_latest)
    {
        pets::weighed(tx, pet, weighing.grams, row.created_at).await?;
    }
    Ok(row)
}

fn entry(request: &CreatePetRecord, standing: Standing, user_id: UserId, now: Instant) -> Result<Model, ProfileError> {
    let (author_kind, workplace) = match standing {
        Standing::Owner => (AuthorKind::Owner, None),
        Standing::Household(ShareRole::Carer) => (AuthorKind::Household, None),
        Standing::Household(ShareRole::Viewer) => return Err(Fault::forbidden().into()),
        Standing::Staff(workplace) => (AuthorKind::Staff, Some(workplace)),
    };
    let CreatePetRecord { pet_id, vaccination, allergy, weight, note, replaces } = request.clone();
    let ahead = [
        ("/vaccination/givenOn", vaccination.as_ref().map(|vaccination| vaccination.given_on)),
        ("/weight/measuredOn", weight.map(|weighing| weighing.measured_on)),
    ];
    dates::refuse_ahead(now, &ahead)?;
    let details = match (vaccination, allergy, weight, note) {
        (Some(vaccination), None, None, None) => Details::Vaccination(vaccination),
        (None, Some(allergy), None, None) => Details::Allergy(allergy),
        (None, None, Some(weighing), None) => Details::Weight(weighing),
        (None, None, None, Some(note)) => Details::Note(note),
        // The contract's own rule refuses it before.
        _ => return Err(Fault::invalid(vec![Violation::new("", "give exactly one thing")]).into()),
    };
    Ok(Model {
        id: PetRecordId::new(),
        pet_id,
        kind: details.kind(),
        details,
        author_kind,
        author_id: Some(user_id),
        vendor_id: workplace.map(|workplace| workplace.vendor_id),
        clinic_id: workplace.map(|workplace| workplace.clinic_id),
        replaces,
        created_at: now,
    })
}

async fn check_what_it_corrects(tx: &Tx, row: &Model) -> Result<(), ProfileError> {
    let Some(replaces) = row.replaces else { return Ok(()) };
    let corrected = records::find(tx, row.pet_id, replaces).await?.ok_or(ProfileError::RecordNotFound)?;
    if corrected.kind == row.kind { Ok(()) } else { Err(ProfileError::WrongKind) }
}
