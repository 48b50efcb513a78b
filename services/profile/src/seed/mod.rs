//! Demo data: two people of one household, their addresses, and their pets with records; through the same code as
//! requests, so that every row is told in events too.

mod data;

use crate::Cx;
use crate::domain::share_code;
use crate::entity::pet_records;
use crate::repo::addresses::{self, AddressFacts};
use crate::repo::pets::{self, PetFacts};
use crate::repo::{person, preferences, profiles, records, shares};
use crate::{ProfileApp, convert};
use chrono::{NaiveDate, TimeDelta};
use data::{DemoPerson, DemoPet};
use std::sync::Arc;
use store::Tx;
use subjects::ids::{AddressId, PetId, PetRecordId, UserId};
use subjects::profile::{AuthorKind, Language, Preferences, ProfileError, ShareRole, UpdateProfile};
use subjects::time::Instant;
use subjects::{Fault, ServiceError as _};
use uuid::Uuid;

/// The first of the ids of demo pets: of version 7, from 1 January 2025.
const FIRST_PET_ID: u128 = 0x0194_1f29_7c00_7000_8000_0000_0001_0000;

/// The people of the demo, who exist at the auth service.
#[derive(Debug, Clone, Copy)]
pub struct DemoPeople {
    /// Has a cat, which is shared with the other one, who cares for it.
    pub cat_owner: UserId,
    /// Has a dog and a rabbit; the first one sees the dog.
    pub dog_owner: UserId,
}

/// What seeding has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seeded {
    /// Pets that were made.
    pub pets_made: usize,
    /// Pets that had been there already.
    pub pets_found: usize,
}

/// The id of a demo pet by its place in the demo: the cat, the dog, the rabbit.
pub fn pet_id(place: u8) -> PetId {
    PetId(Uuid::from_u128(FIRST_PET_ID + u128::from(place)))
}

/// Makes the people's profiles and pets where they are not there yet. Doing it again changes nothing.
///
/// # Errors
/// Those of the database.
pub async fn demo_households(cx: &platform::Cx<ProfileApp>, people: DemoPeople) -> Result<Seeded, Fault> {
    let DemoPeople { cat_owner, dog_owner } = people;
    let mut seeded = Seeded::default();
    for (user_id, other_id, person) in
        [(cat_owner, dog_owner, &data::CAT_OWNER), (dog_owner, cat_owner, &data::DOG_OWNER)]
    {
        let made = add_person(cx, user_id, other_id, person).await.map_err(ProfileError::into_fault)?;
        seeded.pets_made += made;
        seeded.pets_found += person.pets.len() - made;
    }
    Ok(seeded)
}

/// One transaction a person. Answers how many pets were made.
async fn add_person(cx: &Cx, user_id: UserId, other_id: UserId, demo: &DemoPerson) -> Result<usize, ProfileError> {
    let store = Arc::clone(&cx.app).store.clone();
    store
        .write(cx, |tx| async move {
            let now = store::now();
            person::lock(&tx, user_id).await?;
            add_profile(&tx, user_id, demo, now).await?;
            let mut pets_made = 0;
            for pet in demo.pets {
                if pets::find(&tx, pet_id(pet.place)).await?.is_none() {
                    add_pet(&tx, user_id, other_id, pet, now).await?;
                    pets_made += 1;
                }
            }
            Ok(pets_made)
        })
        .await
}

async fn add_profile(tx: &Tx, user_id: UserId, demo: &DemoPerson, now: Instant) -> Result<(), ProfileError> {
    profiles::begin(tx, user_id).await?;
    let Some(row) = profiles::lock(tx, user_id).await? else { return Ok(()) };
    if row.updated_at.is_some() {
        return Ok(());
    }
    let told = UpdateProfile {
        display_name: Some(Some(demo.display_name.to_owned())),
        bio: Some(Some(demo.bio.to_owned())),
        ..UpdateProfile::default()
    };
    profiles::change(tx, row, &told, now).await?;

    let defaults = convert::default_preferences()?;
    if let Some(row) = preferences::begin_and_lock(tx, user_id, &defaults, now).await? {
        let chosen = Preferences { language: Language::Indonesian, ..defaults };
        preferences::replace(tx, row, &chosen, now).await?;
    }
    for address in demo.addresses {
        let facts = AddressFacts::from(&address.to_request());
        addresses::insert(tx, AddressId::new(), user_id, facts, false, now).await?;
    }
    Ok(())
}

async fn add_pet(
    tx: &Tx,
    owner_id: UserId,
    other_id: UserId,
    demo: &DemoPet,
    now: Instant,
) -> Result<(), ProfileError> {
    let facts = PetFacts {
        name: demo.name.to_owned(),
        species: demo.species,
        breed: demo.breed.map(str::to_owned),
        sex: Some(demo.sex),
        neutered: Some(demo.neutered),
        birth_date: Some(days_before(now, demo.age_days)),
        weight_grams: Some(demo.weight_grams),
        microchip: demo.microchip.map(str::to_owned),
        photo_url: None,
        notes: demo.notes.map(str::to_owned),
    };
    let pet = pets::insert(tx, pet_id(demo.place), owner_id, facts, now).await?;
    for record in demo.records {
        let details = record.details(|days| days_before(now, days));
        let row = pet_records::Model {
            id: PetRecordId::new(),
            pet_id: pet.id,
            kind: details.kind(),
            details,
            author_kind: AuthorKind::Owner,
            author_id: Some(owner_id),
            vendor_id: None,
            clinic_id: None,
            replaces: None,
            created_at: now,
        };
        records::insert(tx, row).await?;
    }
    if let Some(role) = demo.shared_as {
        share(tx, pet, other_id, role, now).await?;
    }
    Ok(())
}

async fn share(
    tx: &Tx,
    pet: crate::entity::pets::Model,
    with: UserId,
    role: ShareRole,
    now: Instant,
) -> Result<(), ProfileError> {
    // Nobody learns the code.
    let invitation = shares::invite(tx, pet.id, role, share_code::hash(&share_code::new()), (now, now)).await?;
    shares::accept(tx, invitation, with, now).await?;
    pets::shares_changed(tx, pet, now).await
}

fn days_before(now: Instant, days: u32) -> NaiveDate {
    (now - TimeDelta::days(days.into())).date_naive()
}
