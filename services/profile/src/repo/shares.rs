//! Shared pets. Whoever changes the shares of a pet holds the pet.

use super::by_age::Part;
use super::{failed, pets};
use crate::entity::pet_shares::{ActiveModel, Column, Entity, Model};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, ModelTrait,
    PaginatorTrait, QueryFilter, QueryOrder,
};
use std::collections::BTreeMap;
use store::{ResultExt as _, Tx};
use subjects::Page;
use subjects::ids::{PetId, PetShareId, UserId};
use subjects::profile::{MAX_SHARES, ProfileError, ShareRole};
use subjects::time::Instant;

/// Those with whom a pet is shared, by their ids.
pub async fn people_of(db: &impl ConnectionTrait, pet_id: PetId) -> Result<Vec<UserId>, store::Error> {
    let mut people = people_of_each(db, vec![pet_id]).await?;
    let shared = people.remove(&pet_id).unwrap_or_default();
    Ok(shared.into_iter().map(|(user_id, _)| user_id).collect())
}

/// Those with whom each of these pets is shared, by their ids, and what they may do.
pub async fn people_of_each(
    db: &impl ConnectionTrait,
    pet_ids: Vec<PetId>,
) -> Result<BTreeMap<PetId, Vec<(UserId, ShareRole)>>, store::Error> {
    let accepted = Entity::find()
        .filter(Column::PetId.is_in(pet_ids))
        .filter(Column::UserId.is_not_null())
        .order_by_asc(Column::UserId);
    let mut people: BTreeMap<PetId, Vec<(UserId, ShareRole)>> = BTreeMap::new();
    for row in accepted.all(db).await? {
        if let Some(user_id) = row.user_id {
            people.entry(row.pet_id).or_default().push((user_id, row.role));
        }
    }
    Ok(people)
}

/// What a pet's being shared lets a person do; none: it is not shared with them.
pub async fn role_of(
    db: &impl ConnectionTrait,
    pet_id: PetId,
    user_id: UserId,
) -> Result<Option<ShareRole>, store::Error> {
    let share = Entity::find().filter(Column::PetId.eq(pet_id)).filter(Column::UserId.eq(user_id)).one(db).await?;
    Ok(share.map(|share| share.role))
}

/// Part of a pet's shares, invitations that have not expired among them; or only the share of one person.
pub async fn list(
    db: &impl ConnectionTrait,
    pet_id: PetId,
    only_of: Option<UserId>,
    now: Instant,
    part: &Part,
) -> Result<Page<Model>, store::Error> {
    let rows = Entity::find()
        .filter(Column::PetId.eq(pet_id))
        .filter(Condition::any().add(Column::UserId.is_not_null()).add(Column::ExpiresAt.gt(now)))
        .filter(Condition::all().add_option(only_of.map(|user_id| Column::UserId.eq(user_id))));
    let rows = part.select(rows, Column::Id).all(db).await?;
    Ok(part.page(rows, |row| row.id.into()))
}

/// One share of a pet.
pub async fn find(db: &impl ConnectionTrait, pet_id: PetId, id: PetShareId) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find_by_id(id).filter(Column::PetId.eq(pet_id)).one(db).await?)
}

/// The share of a code.
pub async fn by_code(db: &impl ConnectionTrait, code_hash: Vec<u8>) -> Result<Option<Model>, store::Error> {
    Ok(Entity::find().filter(Column::CodeHash.eq(code_hash)).one(db).await?)
}

/// Makes an invitation, in place of those that have expired.
///
/// # Errors
/// [`ProfileError::TooManyShares`].
pub async fn invite(
    tx: &Tx,
    pet_id: PetId,
    role: ShareRole,
    code_hash: Vec<u8>,
    (now, expires_at): (Instant, Instant),
) -> Result<Model, ProfileError> {
    let of_the_pet = Column::PetId.eq(pet_id);
    let expired = Entity::delete_many()
        .filter(of_the_pet.clone())
        .filter(Column::UserId.is_null())
        .filter(Column::ExpiresAt.lte(now));
    expired.exec(tx).await.map_err(failed)?;
    let others = Entity::find().filter(of_the_pet).count(tx).await.map_err(failed)?;
    if others >= u64::from(MAX_SHARES) {
        return Err(ProfileError::TooManyShares);
    }
    let row = ActiveModel {
        id: Set(PetShareId::new()),
        pet_id: Set(pet_id),
        role: Set(role),
        user_id: Set(None),
        code_hash: Set(code_hash),
        expires_at: Set(expires_at),
        created_at: Set(now),
        accepted_at: Set(None),
    };
    Ok(row.insert(tx).await.map_err(failed)?)
}

/// Shares the pet with whoever accepts.
///
/// # Errors
/// [`ProfileError::AlreadyShared`].
pub async fn accept(tx: &Tx, row: Model, user_id: UserId, now: Instant) -> Result<Model, ProfileError> {
    let mut changed = row.into_active_model();
    changed.user_id = Set(Some(user_id));
    changed.accepted_at = Set(Some(now));
    changed.update(tx).await.on_constraint("pet_shares_person_key", ProfileError::AlreadyShared)
}

/// Ends a share. Whether the pet is shared with fewer from then on.
pub async fn remove(tx: &Tx, row: Model) -> Result<bool, store::Error> {
    let was_accepted = row.user_id.is_some();
    row.delete(tx).await?;
    Ok(was_accepted)
}

/// Ends every share that a person has of others' pets, and tells each pet.
pub async fn leave_all(tx: &Tx, user_id: UserId, now: Instant) -> Result<(), ProfileError> {
    let rows = Entity::find().filter(Column::UserId.eq(user_id)).order_by_asc(Column::PetId).all(tx).await;
    for row in rows.map_err(failed)? {
        let Some(pet) = pets::lock(tx, row.pet_id).await? else { continue };
        remove(tx, row).await?;
        pets::shares_changed(tx, pet, now).await?;
    }
    Ok(())
}
