//! What is known of pets.

use crate::entity::pets::{Entity, Model};
use sea_orm::{ConnectionTrait, EntityTrait};
use subjects::ids::{PetId, UserId};

/// What is known of a person and a pet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// The person may book for it.
    OfHousehold,
    /// It is gone, which it stays.
    Removed,
    /// Not so much as that: it may be new, or newly shared.
    NotYet,
}

/// Whether a person may book for a pet, as far as events have told.
pub async fn known(db: &impl ConnectionTrait, pet_id: PetId, user_id: UserId) -> Result<Known, store::Error> {
    let known = match Entity::find_by_id(pet_id).one(db).await? {
        Some(Model { removed_at: Some(_), .. }) => Known::Removed,
        Some(row) if row.owner_id == user_id || row.shared_with.0.contains(&user_id) => Known::OfHousehold,
        _ => Known::NotYet,
    };
    Ok(known)
}
