//! Booking for a pet of a profile.

use crate::asking::{Person, code, creating};
use crate::clinic::{Clinic, local};
use crate::profile_seat::{self, Pets};
use crate::world::World;
use std::sync::{Arc, Mutex};
use subjects::booking::{Booking, BookingError, CreateBooking, Species, WalkIn};
use subjects::ids::{PetId, UserId};
use subjects::profile::{PetCreated, PetRemoved, PetState, PetUpdated};
use subjects::{ErrorCode, Fault, ServiceError as _};

fn pet_of(owner_id: UserId) -> PetState {
    let (pet_id, species) = (PetId::new(), Species::Cat);
    PetState { pet_id, owner_id, species, shared_with: Vec::new(), removed: false, version: 1 }
}

/// Books the hour of the second day from now for a pet.
async fn book(person: &Person, clinic: &Clinic, pet: &PetState, hour: u32) -> Result<Booking, BookingError> {
    let request =
        CreateBooking { pet: None, pet_id: Some(pet.pet_id), ..creating(clinic.service(0), None, local(2, hour, 0)) };
    person.ask(&request).await
}

async fn heard(world: &World, pet: &PetState) {
    world.until(&format!("select version from booking.pets where id = '{}'", pet.pet_id), pet.version).await;
}

#[tokio::test]
async fn a_household_books_for_its_pets_while_profile_is_away() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    let (owner, sharer, stranger) = (Person::customer(&world), Person::customer(&world), Person::customer(&world));
    let pet = PetState { shared_with: vec![sharer.id], ..pet_of(owner.id) };
    world.tell(&PetCreated(pet.clone())).await;
    heard(&world, &pet).await;

    for (person, hour) in [(&owner, 9), (&sharer, 10)] {
        let booking = book(person, &clinic, &pet, hour).await.unwrap();
        assert_eq!((booking.pet.id, booking.pet.name), (Some(pet.pet_id), None));
    }
    let told = "select count(*) from booking.outbox where type = 'booking.created' and body ->> 'petId' is not null";
    assert_eq!(world.number(told).await, 2);
    // Whether it is theirs by now only profile could say.
    assert_eq!(code(book(&stranger, &clinic, &pet, 11).await.unwrap_err()), ErrorCode::Unavailable);

    // A pet that is gone stays gone, whatever comes late.
    world.tell(&PetRemoved(PetState { removed: true, version: 3, ..pet.clone() })).await;
    heard(&world, &PetState { version: 3, ..pet.clone() }).await;
    world.tell(&PetUpdated(PetState { version: 2, ..pet.clone() })).await;
    world.until("select count(*) from booking.inbox where handler = 'pet_updated'", 1).await;
    assert_eq!(book(&owner, &clinic, &pet, 11).await, Err(BookingError::PetNotFound));
    assert_eq!(world.number("select count(*) from booking.bookings").await, 2);
}

#[tokio::test]
async fn a_pet_made_a_moment_ago_is_not_refused_because_its_event_is_late() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    let (owner, sharer) = (Person::customer(&world), Person::customer(&world));
    let pet = PetState { shared_with: vec![sharer.id], ..pet_of(owner.id) };
    // Booking has heard nothing of it.
    let seat = Arc::new(Mutex::new(Pets { pets: vec![pet.clone()], asked: 0 }));
    let _profile = profile_seat::sit_down(&world, seat.clone()).await;
    book(&owner, &clinic, &pet, 9).await.unwrap();
    book(&sharer, &clinic, &pet, 10).await.unwrap();
    assert_eq!(seat.lock().unwrap().asked, 2);

    // Of a share that is newer than what was heard, neither.
    let unshared = PetState { shared_with: Vec::new(), ..pet.clone() };
    world.tell(&PetCreated(unshared)).await;
    heard(&world, &pet).await;
    book(&owner, &clinic, &pet, 11).await.unwrap();
    assert_eq!(seat.lock().unwrap().asked, 2);
    book(&sharer, &clinic, &pet, 12).await.unwrap();
    assert_eq!(seat.lock().unwrap().asked, 3);
}

#[tokio::test]
async fn a_pet_that_is_not_the_callers_is_refused_as_one_that_does_not_exist() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    let (owner, stranger, staff) = (Person::customer(&world), Person::customer(&world), Person::customer(&world));
    clinic.employ(&world, staff.id).await;
    let pet = pet_of(owner.id);
    let seat = Arc::new(Mutex::new(Pets { pets: vec![pet.clone()], asked: 0 }));
    let _profile = profile_seat::sit_down(&world, seat.clone()).await;
    world.tell(&PetCreated(pet.clone())).await;
    heard(&world, &pet).await;

    assert_eq!(book(&stranger, &clinic, &pet, 9).await, Err(BookingError::PetNotFound));
    assert_eq!(book(&stranger, &clinic, &pet_of(owner.id), 9).await, Err(BookingError::PetNotFound));
    // Who works at the clinic books for themself as anybody does.
    assert_eq!(book(&staff, &clinic, &pet, 9).await, Err(BookingError::PetNotFound));

    // A walk-in has no pets in a profile.
    let walk_in = CreateBooking {
        pet: None,
        pet_id: Some(pet.pet_id),
        walk_in: Some(WalkIn { name: "Tono".to_owned(), phone: None }),
        ..creating(clinic.service(0), None, local(2, 9, 0))
    };
    let refused: Fault = staff.ask(&walk_in).await.unwrap_err().into_fault();
    let pointers: Vec<&str> = refused.violations.iter().map(|violation| violation.pointer.as_str()).collect();
    assert_eq!((refused.code, pointers), (ErrorCode::BadRequest, vec!["/petId"]));

    // A share that ended is worth nothing once it is heard of.
    let shared = PetState { shared_with: vec![stranger.id], version: 2, ..pet.clone() };
    world.tell(&PetUpdated(shared.clone())).await;
    heard(&world, &shared).await;
    let ended = PetState { version: 3, ..pet.clone() };
    world.tell(&PetUpdated(ended.clone())).await;
    heard(&world, &ended).await;
    assert_eq!(book(&stranger, &clinic, &pet, 9).await, Err(BookingError::PetNotFound));

    assert_eq!(world.number("select count(*) from booking.bookings").await, 0);
    assert_eq!(world.number("select count(*) from booking.sessions").await, 0);
    book(&owner, &clinic, &pet, 9).await.unwrap();
}
