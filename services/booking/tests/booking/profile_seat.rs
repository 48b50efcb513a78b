//! Sits where the profile service sits: answers `pet.findOne` of the pets that it is given, and counts how often it was
//! asked. What the real profile service answers is seen in its own tests and in the end-to-end tests.

use crate::world::World;
use platform::runtime::Running;
use platform::{App, Cx, Service};
use std::sync::{Arc, Mutex};
use subjects::profile::{FindPet, Pet, PetAccess, PetState, ProfileError, Sex};

#[derive(Default)]
pub struct Pets {
    pub pets: Vec<PetState>,
    pub asked: usize,
}

pub struct ProfileSeat(Arc<Mutex<Pets>>);

impl App for ProfileSeat {
    const NAME: &'static str = "profile";
}
platform::calls!(ProfileSeat => []);

pub fn service() -> Service<ProfileSeat> {
    Service::new().on(find_pet).publishes_events()
}

async fn find_pet(cx: Cx<ProfileSeat>, question: FindPet) -> Result<Pet, ProfileError> {
    assert_eq!(cx.caller().trusted_service(), Some("booking"));
    let mut seat = cx.app.0.lock().unwrap();
    seat.asked += 1;
    let state = seat.pets.iter().find(|state| state.pet_id == question.id && !state.removed);
    let PetState { pet_id, owner_id, species, shared_with, removed: _, version } =
        state.ok_or(ProfileError::PetNotFound)?.clone();
    let at = chrono::Utc::now();
    Ok(Pet {
        id: pet_id,
        owner_id,
        name: testmesh::personal::text("Oyen"),
        species,
        breed: None,
        sex: Sex::Unknown,
        neutered: None,
        birth_date: None,
        weight_grams: None,
        microchip: None,
        photo_url: None,
        notes: None,
        access: PetAccess::Service,
        shared_with: Some(shared_with),
        created_at: at,
        updated_at: at,
        version,
    })
}

/// Takes the seat; its pets may change under it.
pub async fn sit_down(world: &World, pets: Arc<Mutex<Pets>>) -> Running {
    world.start_another(service(), async |_| Ok(ProfileSeat(pets))).await
}
