//! What this service keeps of persons.

use super::rows;
use crate::entity::pets;
use crate::{Cx, repo};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use store::person::{self, Section};
use store::{HasStore as _, Tx};
use subjects::Fault;
use subjects::ids::UserId;
use subjects::privacy::{Erasure, PersonPage};

/// What is kept of a person. Digests of codes are not told: they tell nothing of anybody.
const SECTIONS: &[Section] = &[
    Section {
        kind: "profile",
        rows: "select user_id::text as key, to_jsonb(profiles) - '{user_id,version}'::text[] as data
            from profiles where user_id = $1 and user_id::text > $2 order by user_id limit $3",
    },
    Section {
        kind: "preferences",
        rows: "select user_id::text as key, to_jsonb(preferences) - '{user_id,version}'::text[] as data
            from preferences where user_id = $1 and user_id::text > $2 order by user_id limit $3",
    },
    Section {
        kind: "address",
        rows: "select id::text as key, to_jsonb(addresses) - '{user_id,version}'::text[] as data
            from addresses where user_id = $1 and id::text > $2 order by id limit $3",
    },
    Section {
        kind: "pet",
        rows: "select id::text as key, to_jsonb(pets) - '{owner_id,version}'::text[] as data
            from pets where owner_id = $1 and id::text > $2 order by id limit $3",
    },
    Section {
        kind: "petRecord",
        rows: "select record.id::text as key, to_jsonb(record) - 'author_id' as data
            from pet_records as record join pets as pet on pet.id = record.pet_id
            where pet.owner_id = $1 and record.id::text > $2 order by record.id limit $3",
    },
    Section {
        kind: "recordOfAnothersPet",
        rows: "select record.id::text as key, to_jsonb(record) - 'author_id' as data
            from pet_records as record join pets as pet on pet.id = record.pet_id
            where record.author_id = $1 and pet.owner_id <> $1 and record.id::text > $2 order by record.id limit $3",
    },
    Section {
        kind: "sharedPet",
        rows: "select id::text as key, jsonb_build_object('id', id, 'petId', pet_id, 'role', role,
                'acceptedAt', accepted_at) as data
            from pet_shares where user_id = $1 and id::text > $2 order by id limit $3",
    },
    Section {
        kind: "privacyRequest",
        rows: "select id::text as key, jsonb_build_object('id', id, 'kind', kind, 'status', status,
                'createdAt', created_at, 'finishedAt', finished_at) as data
            from privacy_requests where user_id = $1 and id::text > $2 order by id limit $3",
    },
];

/// What is kept of a person, a page at a time.
///
/// # Errors
/// The database's.
pub async fn export(cx: &Cx, user_id: UserId, cursor: Option<String>) -> Result<PersonPage, Fault> {
    person::export(cx.app.store().read(), SECTIONS, user_id, cursor.as_deref()).await
}

/// Removes all that is the person's, exports of it among them, and destroys their key. Requests to be erased stay: they
/// hold ids only.
///
/// # Errors
/// The database's.
pub async fn erase(cx: &Cx, user_id: UserId) -> Result<Erasure, Fault> {
    cx.app.store().write(cx, |tx| async move { erase_person(cx, &tx, user_id).await }).await
}

async fn erase_person(cx: &Cx, tx: &Tx, user_id: UserId) -> Result<Erasure, Fault> {
    let pets = pets::Entity::find().filter(pets::Column::OwnerId.eq(user_id)).all(tx).await;
    let pet_ids = pets.map_err(store::Error::from)?.into_iter().map(|pet| pet.id.0);
    // Whoever shares a pet may have answers stored that tell of it.
    let named: Vec<uuid::Uuid> = pet_ids.chain([user_id.0]).collect();
    repo::person::forget(tx, user_id, store::now()).await.map_err(subjects::ServiceError::into_fault)?;
    rows::remove_exports(tx, user_id).await?;
    cx.app.people.destroy(tx, user_id.into()).await?;
    person::forget_person(tx, user_id, named).await?;
    Ok(Erasure { complete: true })
}
