//! Many at once.

use crate::asking::{Person, creating};
use crate::clinic::{Clinic, local};
use crate::world::World;
use std::collections::BTreeSet;
use subjects::booking::{Booking, BookingError, UpdateBooking};
use subjects::ids::{ServiceId, StaffId};
use subjects::time::Instant;

type Wish = (ServiceId, Option<StaffId>, Instant);

/// Each wish by a customer of its own, all at once, each with an idempotency key as the edge gives one.
pub async fn all_at_once(world: &World, wishes: Vec<Wish>) -> Vec<Result<Booking, BookingError>> {
    let asking = wishes.into_iter().enumerate().map(|(number, (service_id, staff_id, starts_at))| {
        let person = Person::customer(world);
        tokio::spawn(async move {
            let request = creating(service_id, staff_id, starts_at);
            let key = format!("wish-{number}");
            Ok(person.ask_with(&request, None, Some(&key)).await?.body)
        })
    });
    let asking: Vec<_> = asking.collect();
    let mut answers = Vec::new();
    for answer in asking {
        answers.push(answer.await.unwrap());
    }
    answers
}

/// Checks that every refusal is `slot_taken`, and answers what was booked.
#[track_caller]
pub fn booked(answers: Vec<Result<Booking, BookingError>>) -> Vec<Booking> {
    let mut booked = Vec::new();
    for answer in answers {
        match answer {
            Ok(booking) => booked.push(booking),
            Err(error) => assert_eq!(error, BookingError::SlotTaken),
        }
    }
    booked
}

/// What must hold in the tables whatever has happened.
pub async fn check_tables(world: &World) {
    let claims_without_bookings = "
        select count(*) from booking.sessions as session
        where session.taken <> (select count(*) from booking.bookings where session_id = session.id)
            + (select count(*) from booking.holds where session_id = session.id)";
    assert_eq!(world.number(claims_without_bookings).await, 0);
    let bookings_beside_their_claims = "
        select count(*) from booking.bookings as booking left join booking.sessions as session
            on session.id = booking.session_id and session.staff_id = booking.staff_id
            and session.service_id = booking.service_id
            and session.starts_at = booking.starts_at and session.ends_at = booking.ends_at
        where booking.status <> 'cancelled' and session.id is null
            and not (booking.status = 'pending' and booking.expires_at <= now())";
    assert_eq!(world.number(bookings_beside_their_claims).await, 0);
    let bookings_without_history = "
        select count(*) from booking.bookings as booking
        where version <> (select count(*) from booking.booking_changes where booking_id = booking.id)";
    assert_eq!(world.number(bookings_without_history).await, 0);
    // The locks are taken in one order, so that nothing has to be tried again.
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(world.number(deadlocks).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_hundred_gets_the_slot() {
    let world = World::start().await;
    let instances = [world.run_booking().await, world.run_booking().await];
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;

    let wish = (clinic.service(0), None, local(2, 10, 0));
    let booked = booked(all_at_once(&world, vec![wish; 200]).await);

    assert_eq!(booked.len(), 1);
    assert_eq!(world.number("select count(*) from booking.bookings").await, 1);
    assert_eq!(world.told("booking.created").await, 1);
    check_tables(&world).await;
    for instance in instances {
        instance.drain().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_names_nobody_gets_one_who_is_free() {
    let world = World::start().await;
    let _instances = [world.run_booking().await, world.run_booking().await];
    let clinic = Clinic::new(&[30], 3);
    clinic.tell(&world).await;

    let wish = (clinic.service(0), None, local(2, 10, 0));
    let booked = booked(all_at_once(&world, vec![wish; 20]).await);

    let staff: BTreeSet<StaffId> = booked.iter().map(|booking| booking.staff_id).collect();
    assert_eq!((booked.len(), staff.len()), (3, 3));
    check_tables(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_five_takes_five() {
    let world = World::start().await;
    let _instances = [world.run_booking().await, world.run_booking().await];
    let mut clinic = Clinic::new(&[60], 1);
    clinic.services[0].capacity = 5;
    clinic.tell(&world).await;

    let wish = (clinic.service(0), None, local(2, 10, 0));
    let booked = booked(all_at_once(&world, vec![wish; 40]).await);

    assert_eq!(booked.len(), 5);
    assert_eq!(world.number("select count(*) from booking.sessions").await, 1);
    check_tables(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn visits_of_different_lengths_never_overlap() {
    let world = World::start().await;
    let _instances = [world.run_booking().await, world.run_booking().await];
    let mut clinic = Clinic::new(&[30, 50, 90], 2);
    clinic.services[1].buffer_before_minutes = 10;
    clinic.services[1].buffer_after_minutes = 15;
    for service in &mut clinic.services {
        service.slot_step_minutes = 5;
    }
    clinic.tell(&world).await;

    let mut wishes = Vec::new();
    for round in 0..120_u32 {
        let service_id = clinic.service(usize::try_from(round % 3).unwrap());
        let staff_id = (round % 4 == 0).then(|| clinic.staff(0));
        wishes.push((service_id, staff_id, local(2, 9 + round % 6, (round * 35) % 60)));
    }
    let booked = booked(all_at_once(&world, wishes).await);

    assert!(!booked.is_empty());
    let overlaps = "
        select count(*) from booking.bookings as one join booking.bookings as other
            on one.staff_id = other.staff_id and one.id < other.id
            and one.starts_at < other.ends_at and other.starts_at < one.ends_at";
    assert_eq!(world.number(overlaps).await, 0);
    check_tables(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bookings_that_move_into_each_others_time_neither_fail_nor_overlap() {
    let world = World::start().await;
    let _instances = [world.run_booking().await, world.run_booking().await];
    let clinic = Clinic::new(&[30], 2);
    clinic.tell(&world).await;
    let person = Person::customer(&world);
    let mut bookings = Vec::new();
    for place in 0..12_u32 {
        let staff_id = Some(clinic.staff(usize::try_from(place % 2).unwrap()));
        bookings.push(person.book(clinic.service(0), staff_id, local(2, 9 + place / 2, 0)).await.unwrap());
    }

    // Each moves by half a visit, onto its neighbour's time, and changes the staff member.
    let moves = bookings.iter().map(|booking| {
        let (person, booking) = (person.clone(), booking.clone());
        let other_staff = clinic.staff.iter().map(|member| member.staff_id).find(|id| *id != booking.staff_id);
        tokio::spawn(async move {
            let request = UpdateBooking {
                id: booking.id,
                starts_at: booking.starts_at + chrono::Duration::minutes(15),
                staff_id: other_staff,
                notes: None,
            };
            (person.ask_if(&request, booking.version).await, booking)
        })
    });
    let moves: Vec<_> = moves.collect();
    for moved in moves {
        let (answer, before) = moved.await.unwrap();
        match answer {
            Ok(after) => assert_eq!((after.id, after.reference), (before.id, before.reference)),
            Err(error) => assert_eq!(error, BookingError::SlotTaken),
        }
    }
    assert_eq!(world.number("select count(*) from booking.bookings").await, 12);
    check_tables(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_many_times_is_one_booking() {
    let world = World::start().await;
    let _instances = [world.run_booking().await, world.run_booking().await];
    let clinic = Clinic::new(&[30], 3);
    clinic.tell(&world).await;
    let person = Person::customer(&world);
    let request = creating(clinic.service(0), None, local(2, 10, 0));

    let asking: Vec<_> = (0..30)
        .map(|_| {
            let (person, request) = (person.clone(), request.clone());
            tokio::spawn(async move { person.ask_with(&request, None, Some("once")).await })
        })
        .collect();
    let (mut ids, mut replays) = (BTreeSet::new(), 0);
    for answer in asking {
        let answer = answer.await.unwrap().unwrap();
        ids.insert(answer.body.id);
        replays += i32::from(answer.replayed);
    }
    assert_eq!((ids.len(), replays), (1, 29));
    assert_eq!(world.told("booking.created").await, 1);

    // A refusal is kept likewise: the slot that was taken at first is not booked by the repetition.
    let rival = Person::customer(&world);
    let on_one_staff = creating(clinic.service(0), Some(clinic.staff(0)), local(3, 10, 0));
    let first = rival.ask(&on_one_staff).await.unwrap();
    let refused = person.ask_with(&on_one_staff, None, Some("again")).await.err();
    assert_eq!(refused, Some(BookingError::SlotTaken));
    rival.ask(&subjects::booking::CancelBooking { id: first.id, reason: None }).await.unwrap();
    let repeated = person.ask_with(&on_one_staff, None, Some("again")).await.err();
    assert_eq!(repeated, Some(BookingError::SlotTaken));
    assert!(person.ask_with(&on_one_staff, None, Some("anew")).await.is_ok());
}
