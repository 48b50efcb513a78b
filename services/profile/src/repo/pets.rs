//! Pets.

use super::by_age::Part;
use super::{failed, shares};
use crate::convert;
use crate::entity::pet_shares;
use crate::entity::pets::{ActiveModel, Column, Entity, Model};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, ModelTrait,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use store::{Tx, statement};
use subjects::ids::{PetId, UserId};
use subjects::profile::{
    CreatePet, FindPets, MAX_PETS, PetCreated, PetRemoved, PetState, PetUpdated, ProfileError, Sex, Species, UpdatePet,
};
use subjects::time::Instant;
use subjects::{Fault, Page};

/// What is known of a pet.
#[derive(Debug, Clone)]
pub struct PetFacts {
    /// What it is called.
    pub name: String,
    /// The kind of animal.
    pub species: Species,
    /// The breed.
    pub breed: Option<String>,
    /// Its sex; none: unknown.
    pub sex: Option<Sex>,
    /// Whether it is neutered.
    pub neutered: Option<bool>,
    /// When it was born.
    pub birth_date: Option<chrono::NaiveDate>,
    /// What it weighs.
    pub weight_grams: Option<u32>,
    /// The number of its microchip.
    pub microchip: Option<String>,
    /// The address of its picture.
    pub photo_url: Option<String>,
    /// What those who care for it should know.
    pub notes: Option<String>,
}

impl From<&CreatePet> for PetFacts {
    fn from(request: &CreatePet) -> PetFacts {
        let CreatePet { name, species, breed, sex, neutered, birth_date, weight_grams, microchip, photo_url, notes } =
            request.clone();
        PetFacts { name, species, breed, sex, neutered, birth_date, weight_grams, microchip, photo_url, notes }
    }
}

impl From<&UpdatePet> for PetFacts {
    fn from(request: &UpdatePet) -> PetFacts {
        let UpdatePet {
            id: _,
            name,
            species,
            breed,
            sex,
            neutered,
            birth_date,
            weight_grams,
            microchip,
            photo_url,
            notes,
        } = request.clone();
        PetFacts { name, species, breed, sex, neutered, birth_date, weight_grams, microchip, photo_url, notes }
    }
}

impl PetFacts {
    fn write_to(self, row: &mut ActiveModel) {
        let PetFacts { name, species, breed, sex, neutered, birth_date, weight_grams, microchip, photo_url, notes } =
            self;
        row.name = Set(name);
        row.species = Set(species);
        row.breed = Set(breed);
        row.sex = Set(sex.unwrap_or(Sex::Unknown));
        row.neutered = Set(neutered);
        row.birth_date = Set(birth_date);
        row.weight_grams = Set(weight_grams.map(whole));
        row.microchip = Set(microchip);
        row.photo_url = Set(photo_url);
        row.notes = Set(notes);
    }
}

/// A number as a column holds it. The contract keeps it far below; the database would refuse a larger one.
fn whole(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// One pet.
pub async fn find(db: &impl ConnectionTrait, id: PetId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).one(db).await?)
}

/// One pet, held against changes by others until the transaction ends. Whoever changes its shares or records holds it,
/// too, and before them.
pub async fn lock(tx: &Tx, id: PetId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(tx).await?)
}

/// Part of a person's own pets, and of those that others share with them.
pub async fn list(
    db: &impl ConnectionTrait,
    user_id: UserId,
    filters: &FindPets,
    part: &Part,
) -> Result<Page<Model>, store::Error> {
    // Taken apart in full, so that a new filter has to be applied.
    let FindPets { species, own, sort: _, limit: _, cursor: _ } = filters;
    let shared_ids = Query::select()
        .column(pet_shares::Column::PetId)
        .from(pet_shares::Entity)
        .and_where(pet_shares::Column::UserId.eq(user_id))
        .to_owned();
    let mut whose = Condition::any();
    if *own != Some(false) {
        whose = whose.add(Column::OwnerId.eq(user_id));
    }
    if *own != Some(true) {
        whose = whose.add(Column::Id.in_subquery(shared_ids));
    }
    let rows = Entity::find()
        .filter(whose)
        .filter(Condition::all().add_option(species.map(|species| Column::Species.eq(species))));
    let rows = part.select(rows, Column::Id).all(db).await?;
    Ok(part.page(rows, |row| row.id.into()))
}

/// Adds a pet and tells it. The owner is held ([`person::lock`](super::person::lock)).
///
/// # Errors
/// [`ProfileError::TooManyPets`], [`ProfileError::MicrochipTaken`].
pub async fn insert(
    tx: &Tx,
    id: PetId,
    owner_id: UserId,
    facts: PetFacts,
    now: Instant,
) -> Result<Model, ProfileError> {
    let others = Entity::find().filter(Column::OwnerId.eq(owner_id)).count(tx).await.map_err(failed)?;
    if others >= u64::from(MAX_PETS) {
        return Err(ProfileError::TooManyPets);
    }
    let mut row = ActiveModel {
        id: Set(id),
        owner_id: Set(owner_id),
        created_at: Set(now),
        updated_at: Set(now),
        version: Set(1),
        ..Default::default()
    };
    facts.write_to(&mut row);
    let row = row.insert(tx).await.map_err(refusal)?;
    tx.emit(&PetCreated(convert::pet_state(&row, Vec::new()))).await?;
    Ok(row)
}

/// Replaces what is known of a pet and tells it. Answers also with whom it is shared.
///
/// # Errors
/// [`ProfileError::MicrochipTaken`].
pub async fn replace(tx: &Tx, row: Model, facts: PetFacts, now: Instant) -> Result<(Model, Vec<UserId>), ProfileError> {
    let mut changed = row.into_active_model();
    facts.write_to(&mut changed);
    save(tx, changed, now).await
}

/// Keeps what a pet weighs by its records, and tells it.
pub async fn weighed(tx: &Tx, row: Model, grams: u32, now: Instant) -> Result<(), ProfileError> {
    let weight_grams = Some(whole(grams));
    if row.weight_grams != weight_grams {
        let mut changed = row.into_active_model();
        changed.weight_grams = Set(weight_grams);
        save(tx, changed, now).await?;
    }
    Ok(())
}

/// Tells that a pet is shared with others than before.
pub async fn shares_changed(tx: &Tx, row: Model, now: Instant) -> Result<(), ProfileError> {
    save(tx, row.into_active_model(), now).await?;
    Ok(())
}

async fn save(tx: &Tx, mut changed: ActiveModel, now: Instant) -> Result<(Model, Vec<UserId>), ProfileError> {
    changed.version = Set(changed.version.take().unwrap_or_default() + 1);
    changed.updated_at = Set(now);
    let row = changed.update(tx).await.map_err(refusal)?;
    let shared_with = shares::people_of(tx, row.id).await?;
    tx.emit(&PetUpdated(convert::pet_state(&row, shared_with.clone()))).await?;
    Ok((row, shared_with))
}

/// Removes a pet with its records and shares, and tells it.
pub async fn remove(tx: &Tx, row: Model) -> Result<(), Fault> {
    let tombstone = PetState { removed: true, version: row.version + 1, ..convert::pet_state(&row, Vec::new()) };
    row.delete(tx).await.map_err(failed)?;
    tx.emit(&PetRemoved(tombstone)).await
}

const LOCK_HOUSEHOLD: &str = "
select id from pets
where owner_id = $1 or id in (select pet_id from pet_shares where user_id = $1)
order by id for update";

/// Holds all pets of a person and all that others share with them, in the order of their ids: two people who share their
/// pets with each other can go at once, without waiting in a circle.
pub async fn lock_household(tx: &Tx, user_id: UserId) -> Result<(), store::Error> {
    tx.execute_raw(statement(LOCK_HOUSEHOLD, vec![user_id.into()])).await?;
    Ok(())
}

/// Removes all pets of a person, and tells each.
pub async fn remove_all(tx: &Tx, owner_id: UserId) -> Result<(), Fault> {
    let rows = Entity::find().filter(Column::OwnerId.eq(owner_id)).order_by_asc(Column::Id).lock_exclusive();
    for row in rows.all(tx).await.map_err(failed)? {
        remove(tx, row).await?;
    }
    Ok(())
}

fn refusal(error: DbErr) -> ProfileError {
    let error = store::Error::from(error);
    match error.constraint() {
        Some("pets_microchip_key") => ProfileError::MicrochipTaken,
        _ => ProfileError::from(error),
    }
}
