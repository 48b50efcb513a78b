//! Who may book which times.

use crate::asking::{Person, creating};
use crate::clinic::{Clinic, local};
use crate::vendor_seat;
use crate::world::World;
use std::sync::{Arc, Mutex};
use subjects::Role;
use subjects::booking::{BookingError, CreateBooking, UpdateBooking, WalkIn};

#[tokio::test]
async fn customers_book_slots_and_staff_any_time_within_hours() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let mut clinic = Clinic::new(&[30, 30, 30], 1);
    clinic.services[0].slot_step_minutes = 20;
    clinic.services[1].minimum_notice_minutes = 20 * 1440;
    clinic.services[2].booking_window_days = 1;
    clinic.tell(&world).await;
    let (customer, staff) = (Person::customer(&world), Person::customer(&world));
    clinic.employ(&world, staff.id).await;

    let off_grid = creating(clinic.service(0), None, local(5, 9, 15));
    let too_soon = creating(clinic.service(1), None, local(5, 10, 0));
    let too_far = creating(clinic.service(2), None, local(5, 11, 0));
    for (request, refusal) in
        [(&off_grid, BookingError::NotASlot), (&too_soon, BookingError::TooSoon), (&too_far, BookingError::TooFarAhead)]
    {
        assert_eq!(customer.ask(request).await, Err(refusal.clone()));
        assert_eq!(customer.hold(request.service_id, None, request.starts_at).await, Err(refusal.clone()));
        // A member of the clinic who books for themselves is a customer like others.
        assert_eq!(staff.ask(request).await, Err(refusal));
        let walk_in = Some(WalkIn { name: testmesh::personal::text("Sulastri"), phone: None });
        assert_eq!(
            staff.ask(&CreateBooking { walk_in, ..request.clone() }).await.unwrap().starts_at,
            request.starts_at
        );
    }
    let closed = CreateBooking {
        walk_in: Some(WalkIn { name: testmesh::personal::text("Sulastri"), phone: None }),
        ..creating(clinic.service(0), None, local(5, 8, 45))
    };
    assert_eq!(staff.ask(&closed).await, Err(BookingError::VendorUnavailable));
    customer.book(clinic.service(0), None, local(5, 9, 40)).await.unwrap_err();
    customer.book(clinic.service(0), None, local(5, 12, 20)).await.unwrap();
    customer.book(clinic.service(1), None, local(30, 9, 0)).await.unwrap();
}

#[tokio::test]
async fn whoever_moves_a_booking_obeys_the_same_rules() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let mut clinic = Clinic::new(&[30], 1);
    clinic.services[0].minimum_notice_minutes = 3 * 1440;
    clinic.services[0].booking_window_days = 20;
    clinic.tell(&world).await;
    let _vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
    let (customer, staff) = (Person::customer(&world), Person::customer(&world));
    clinic.employ(&world, staff.id).await;
    let admin = Person::new(&world, &[Role::PlatformAdmin]);
    let made = customer.book(clinic.service(0), None, local(10, 10, 0)).await.unwrap();

    let to = |days, hour, minute| UpdateBooking {
        id: made.id,
        starts_at: local(days, hour, minute),
        staff_id: None,
        notes: None,
    };
    let moves = [
        (to(10, 10, 20), BookingError::NotASlot),
        (to(1, 10, 0), BookingError::TooSoon),
        (to(25, 10, 0), BookingError::TooFarAhead),
    ];
    for (moving, refusal) in &moves {
        assert_eq!(customer.ask_if(moving, 1).await, Err(refusal.clone()));
    }
    let early = staff.ask_if(&to(10, 8, 50), 1).await;
    assert_eq!(early, Err(BookingError::VendorUnavailable));
    for (version, person, (moving, _)) in [(1, &staff, &moves[0]), (2, &admin, &moves[1]), (3, &staff, &moves[2])] {
        let moved = person.ask_if(moving, version).await.unwrap();
        assert_eq!((moved.starts_at, moved.version), (moving.starts_at, version + 1));
    }
    // The visit that staff put off the grid keeps its time while its notes change.
    let noted = UpdateBooking { notes: Some("shy".into()), ..to(25, 10, 0) };
    assert_eq!(customer.ask_if(&noted, 4).await.unwrap().version, 5);
}
