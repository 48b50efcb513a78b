//! Pets: who may book for each.

use crate::entity::pets::{Entity, Model, UserIds};
use store::ReadModel;
use subjects::Fault;
use subjects::profile::{PetSnapshot, PetState};

impl ReadModel for Entity {
    type Snapshot = PetSnapshot;

    fn row(state: PetState, is_removed: bool) -> Result<Option<Model>, Fault> {
        let PetState { pet_id, owner_id, species: _, shared_with, removed, version } = state;
        let removed_at = (removed || is_removed).then(store::now);
        Ok(Some(Model { id: pet_id, version, removed_at, owner_id, shared_with: UserIds(shared_with) }))
    }
}
