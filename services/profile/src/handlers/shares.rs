//! Shared pets.

use super::pets::own;
use crate::access::Standing;
use crate::domain::share_code;
use crate::repo::by_age::Part;
use crate::repo::{pets, shares};
use crate::{Cx, convert};
use chrono::TimeDelta;
use subjects::Page;
use subjects::profile::{
    AcceptPetShare, AgeSort, CreatePetShare, FindPetShares, NewPetShare, PetShare, ProfileError, RevokePetShare,
};

/// For how long an invitation can be accepted.
const OPEN_FOR: TimeDelta = TimeDelta::days(7);

/// `petShare.create`: by the pet's owner. The code is told this once.
pub async fn create(cx: Cx, request: CreatePetShare) -> Result<NewPetShare, ProfileError> {
    let user_id = cx.caller().user()?.id;
    let request = &request;
    cx.app
        .store
        .write(&cx, |tx| async move {
            let pet = own(&tx, user_id, request.pet_id).await?;
            let code = share_code::new();
            let now = store::now();
            let open = (now, now + OPEN_FOR);
            let row = shares::invite(&tx, pet.id, request.role, share_code::hash(&code), open).await?;
            let (id, pet_id, role) = (row.id, row.pet_id, row.role);
            Ok(NewPetShare { id, pet_id, role, code, expires_at: row.expires_at, created_at: row.created_at })
        })
        .await
}

/// `petShare.accept`: by whoever has the code.
pub async fn accept(cx: Cx, request: AcceptPetShare) -> Result<PetShare, ProfileError> {
    let user_id = cx.caller().user()?.id;
    let code_hash = &share_code::hash(&request.code);
    cx.app
        .store
        .write(&cx, |tx| async move {
            let found = shares::by_code(&tx, code_hash.clone()).await?.ok_or(ProfileError::CodeNotFound)?;
            let pet = pets::lock(&tx, found.pet_id).await?.ok_or(ProfileError::CodeNotFound)?;
            // As it stands now that nobody else changes it.
            let row = shares::find(&tx, pet.id, found.id).await?.ok_or(ProfileError::CodeNotFound)?;
            let now = store::now();
            match row.user_id {
                Some(accepted_by) if accepted_by == user_id => return Ok(convert::share(row)),
                Some(_) => return Err(ProfileError::CodeNotFound),
                None if row.expires_at <= now => return Err(ProfileError::CodeNotFound),
                None if pet.owner_id == user_id => return Err(ProfileError::OwnPet),
                None => {}
            }
            let row = shares::accept(&tx, row, user_id, now).await?;
            pets::shares_changed(&tx, pet, now).await?;
            Ok(convert::share(row))
        })
        .await
}

/// `petShare.findAll`: all of them for the pet's owner, their own for the household.
pub async fn find_all(cx: Cx, request: FindPetShares) -> Result<Page<PetShare>, ProfileError> {
    let user_id = cx.caller().user()?.id;
    let db = cx.app.store.read();
    let pet = pets::find(db, request.pet_id).await?.ok_or(ProfileError::PetNotFound)?;
    let standing = Standing::of(db, user_id, &pet).await?.ok_or(ProfileError::PetNotFound)?;
    let only_of = (standing != Standing::Owner).then_some(user_id);
    let sort = request.sort.unwrap_or(AgeSort::CreatedAt);
    let part = Part::of(sort, request.cursor.as_deref(), request.limit)?;
    let page = shares::list(db, pet.id, only_of, store::now(), &part).await?;
    Ok(page.map(convert::share))
}

/// `petShare.revoke`: by the pet's owner, or by the person with whom it is shared.
pub async fn revoke(cx: Cx, request: RevokePetShare) -> Result<(), ProfileError> {
    let user_id = cx.caller().user()?.id;
    let (cx, request) = (&cx, &request);
    cx.app
        .store
        .keyed(cx, request, |tx| async move {
            let pet = pets::lock(&tx, request.pet_id).await?.ok_or(ProfileError::PetNotFound)?;
            let standing = Standing::of(&tx, user_id, &pet).await?.ok_or(ProfileError::PetNotFound)?;
            let row = shares::find(&tx, pet.id, request.id)
                .await?
                .filter(|row| standing == Standing::Owner || row.user_id == Some(user_id))
                .ok_or(ProfileError::ShareNotFound)?;
            if shares::remove(&tx, row).await? {
                pets::shares_changed(&tx, pet, store::now()).await?;
            }
            Ok(())
        })
        .await
}
