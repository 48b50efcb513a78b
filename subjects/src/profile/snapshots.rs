//! The snapshot of pets, from which others build their read models.

use super::events::PetState;

crate::snapshots! {
    service "profile";
    /// All pets.
    PetSnapshot = "pet.snapshot" of PetState, id pet_id;
}
