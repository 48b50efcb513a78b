//! Pets.

use crate::access::{self, Standing};
use crate::domain::dates;
use crate::entity::pets::Model;
use crate::repo::by_age::Part;
use crate::repo::pets::{self, PetFacts};
use crate::repo::{person, shares};
use crate::{Cx, convert};
use store::Tx;
use subjects::ids::{PetId, UserId};
use subjects::profile::{AgeSort, CreatePet, FindPet, FindPets, Pet, PetAccess, ProfileError, RemovePet, UpdatePet};
use subjects::{Fault, Page};

/// `pet.findAll`: the caller's own, and those that others share with them.
pub async fn find_all(cx: Cx, request: FindPets) -> Result<Page<Pet>, ProfileError> {
    let user_id = cx.caller().user()?.id;
    let db = cx.app.store.read();
    let sort = request.sort.unwrap_or(AgeSort::CreatedAt);
    let part = Part::of(sort, request.cursor.as_deref(), request.limit)?;
    let page = pets::list(db, user_id, &request, &part).await?;
    let pet_ids: Vec<PetId> = page.items.iter().map(|row| row.id).collect();
    let mut people = shares::people_of_each(db, pet_ids).await?;

    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        let shared = people.remove(&row.id).unwrap_or_default();
        if row.owner_id == user_id {
            let shared_with = shared.into_iter().map(|(user_id, _)| user_id).collect();
            items.push(convert::pet(row, PetAccess::Owner, Some(shared_with)));
        } else if let Some((_, role)) = shared.into_iter().find(|(shared_with, _)| *shared_with == user_id) {
            items.push(convert::pet(row, Standing::Household(role).access(), None));
        }
        // Otherwise the share ended since the pets were read.
    }
    Ok(Page { items, next_cursor: page.next_cursor })
}

/// `pet.findOne`.
pub async fn find_one(cx: Cx, request: FindPet) -> Result<Pet, ProfileError> {
    let db = cx.app.store.read();
    let row = pets::find(db, request.id).await?.ok_or(ProfileError::PetNotFound)?;
    let access = access::sight(db, cx.caller(), &row).await?.ok_or(ProfileError::PetNotFound)?;
    let shared_with = match access {
        PetAccess::Owner | PetAccess::Service => Some(shares::people_of(db, row.id).await?),
        PetAccess::Carer | PetAccess::Viewer | PetAccess::Staff => None,
    };
    Ok(convert::pet(row, access, shared_with))
}

/// `pet.create`.
pub async fn create(cx: Cx, request: CreatePet) -> Result<Pet, ProfileError> {
    let user_id = cx.caller().user()?.id;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let now = store::now();
            dates::refuse_ahead(now, &[("/birthDate", request.birth_date)])?;
            person::lock(&tx, user_id).await?;
            let row = pets::insert(&tx, PetId::new(), user_id, PetFacts::from(request), now).await?;
            Ok(convert::pet(row, PetAccess::Owner, Some(Vec::new())))
        })
        .await
}

/// `pet.update`: by its owner.
pub async fn update(cx: Cx, request: UpdatePet) -> Result<Pet, ProfileError> {
    let expected_version = cx.expected_version()?;
    let user_id = cx.caller().user()?.id;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let now = store::now();
            let row = own(&tx, user_id, request.id).await?;
            dates::refuse_ahead(now, &[("/birthDate", request.birth_date)])?;
            store::expect_version(expected_version, row.version)?;
            let (row, shared_with) = pets::replace(&tx, row, PetFacts::from(request), now).await?;
            Ok(convert::pet(row, PetAccess::Owner, Some(shared_with)))
        })
        .await
}

/// `pet.remove`: by its owner.
pub async fn remove(cx: Cx, request: RemovePet) -> Result<(), ProfileError> {
    let user_id = cx.caller().user()?.id;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let row = own(&tx, user_id, request.id).await?;
            store::expect_version_if_given(cx.meta().if_match, row.version)?;
            Ok(pets::remove(&tx, row).await?)
        })
        .await
}

/// A pet of the user, held until the transaction ends. Whoever may see it without owning it is told so.
///
/// # Errors
/// [`ProfileError::PetNotFound`]; `forbidden`.
pub async fn own(tx: &Tx, user_id: UserId, id: PetId) -> Result<Model, ProfileError> {
    let row = pets::lock(tx, id).await?.ok_or(ProfileError::PetNotFound)?;
    match Standing::of(tx, user_id, &row).await? {
        Some(Standing::Owner) => Ok(row),
        Some(Standing::Household(_) | Standing::Staff(_)) => Err(Fault::forbidden().into()),
        None => Err(ProfileError::PetNotFound),
    }
}
