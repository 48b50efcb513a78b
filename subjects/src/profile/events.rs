//! What the profile service tells the others: ids and states only. No name, no address, no word of a record.

use super::values::Species;
use crate::events;
use crate::ids::{AddressId, PetId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A profile as other services may know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfileState {
    /// The person.
    pub user_id: UserId,
    /// True in its last event: it is gone.
    #[serde(default)]
    pub removed: bool,
    /// Its version.
    pub version: i64,
}

/// An address as other services may know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AddressState {
    /// The address.
    pub address_id: AddressId,
    /// Whose it is.
    pub user_id: UserId,
    /// Whether it is the person's default.
    pub is_default: bool,
    /// True in its last event: it is gone.
    #[serde(default)]
    pub removed: bool,
    /// Its version.
    pub version: i64,
}

/// A pet as other services may know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PetState {
    /// The pet.
    pub pet_id: PetId,
    /// Whose it is.
    pub owner_id: UserId,
    /// The kind of animal.
    pub species: Species,
    /// With whom it is shared.
    #[serde(default)]
    pub shared_with: Vec<UserId>,
    /// True in its last event: it is gone.
    #[serde(default)]
    pub removed: bool,
    /// Its version.
    pub version: i64,
}

events! {
    service "profile";
    body ProfileState, id user_id, version version;
    /// A profile is another; who keeps a copy of it asks for it.
    ProfileUpdated = "profile.updated", document "user.profile.updated";
}

events! {
    service "profile";
    body AddressState, id address_id, version version;
    /// An address was added, is another, or was removed.
    AddressUpdated = "address.updated";
}

events! {
    service "profile";
    body PetState, id pet_id, version version;
    /// A pet was added.
    PetCreated = "pet.created";
    /// A pet is another, or is shared with others than before.
    PetUpdated = "pet.updated";
    /// A pet was removed.
    PetRemoved = "pet.removed";
}
