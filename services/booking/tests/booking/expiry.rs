//! Claims whose time is over.

use crate::asking::{Person, creating};
use crate::clinic::{Clinic, local};
use crate::races::{booked, check_tables};
use crate::vendor_seat;
use crate::world::World;
use std::sync::{Arc, Mutex};
use subjects::booking::{
    ActorKind, Booking, BookingError, BookingHistory, BookingStatus, CancelBooking, ChangeKind, ConfirmBooking,
    GetBooking, UpdateBooking,
};
use subjects::ids::ServiceId;

/// Lets a booking's, or everybody's, time for confirmation be over.
async fn expire(world: &World, booking: Option<&Booking>) {
    let which = booking.map_or(String::new(), |booking| format!("and id = '{}'", booking.id));
    world.execute(&format!("update booking.bookings set expires_at = now() where status = 'pending' {which}")).await;
}

async fn rivals_for(world: &World, count: usize, service_id: ServiceId) -> Vec<Booking> {
    let asking = (0..count).map(|_| {
        let rival = Person::customer(world);
        tokio::spawn(async move { rival.book(service_id, None, local(2, 10, 0)).await })
    });
    let asking: Vec<_> = asking.collect();
    let mut answers = Vec::new();
    for answer in asking {
        answers.push(answer.await.unwrap());
    }
    booked(answers)
}

#[tokio::test]
async fn the_clinic_has_as_long_as_its_policy_says() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let mut clinic = Clinic::new(&[30], 1);
    clinic.policy.confirm_within_minutes = 90;
    clinic.tell(&world).await;
    let (customer, staff) = (Person::customer(&world), Person::customer(&world));
    clinic.employ(&world, staff.id).await;
    let _vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
    let within = chrono::Duration::minutes(90);

    let made = customer.book(clinic.service(0), None, local(2, 10, 0)).await.unwrap();
    assert_eq!((made.policy, made.expires_at), (clinic.policy, Some(made.created_at + within)));
    let confirmed = staff.ask(&ConfirmBooking { id: made.id }).await.unwrap();
    assert_eq!(confirmed.expires_at, None);
    // What the clinic moves stays confirmed; what the customer moves waits anew.
    let moving = |minute| UpdateBooking { id: made.id, starts_at: local(2, 11, minute), staff_id: None, notes: None };
    assert_eq!(staff.ask_if(&moving(0), 2).await.unwrap().expires_at, None);
    let moved = customer.ask_if(&moving(15), 3).await.unwrap();
    assert_eq!((moved.status, moved.expires_at), (BookingStatus::Pending, Some(moved.updated_at + within)));
    let moved_on = staff.ask_if(&moving(30), 4).await.unwrap();
    assert_eq!((moved_on.status, moved_on.expires_at), (BookingStatus::Pending, Some(moved_on.updated_at + within)));
    // Notes are no move.
    let noted = customer.ask_if(&UpdateBooking { notes: Some("shy".into()), ..moving(30) }, 5).await.unwrap();
    assert_eq!(noted.expires_at, moved_on.expires_at);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_booking_gives_way_to_the_next() {
    let world = World::start().await;
    let _instances = [world.run_booking().await, world.run_booking().await];
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    let (customer, staff) = (Person::customer(&world), Person::customer(&world));
    clinic.employ(&world, staff.id).await;
    let made = customer.book(clinic.service(0), None, local(2, 10, 0)).await.unwrap();
    world.until("select count(*) from booking.bookings where needs_check", 1).await;

    assert_eq!(rivals_for(&world, 5, clinic.service(0)).await, []);
    expire(&world, Some(&made)).await;
    assert_eq!(staff.ask(&ConfirmBooking { id: made.id }).await, Err(BookingError::BookingExpired));
    let moving = UpdateBooking { id: made.id, starts_at: local(2, 11, 0), staff_id: None, notes: None };
    assert_eq!(customer.ask_if(&moving, 1).await, Err(BookingError::BookingExpired));

    let takers = rivals_for(&world, 20, clinic.service(0)).await;
    assert_eq!(takers.len(), 1);
    assert_eq!(staff.ask(&ConfirmBooking { id: made.id }).await, Err(BookingError::BookingExpired));
    assert_eq!(customer.ask(&GetBooking { id: made.id }).await.unwrap().status, BookingStatus::Pending);
    // Calling it off costs nothing, and frees nothing that is another's.
    customer.ask(&CancelBooking { id: made.id, reason: None }).await.unwrap();
    assert_eq!(rivals_for(&world, 5, clinic.service(0)).await, []);
    check_tables(&world).await;
}

#[tokio::test]
async fn one_of_a_session_expires_alone() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let mut clinic = Clinic::new(&[30, 30], 1);
    clinic.services[0].capacity = 3;
    clinic.tell(&world).await;
    let customer = Person::customer(&world);
    let mut made = Vec::new();
    for _ in 0..2 {
        made.push(customer.book(clinic.service(0), None, local(2, 10, 0)).await.unwrap());
    }
    customer.hold(clinic.service(0), None, local(2, 10, 0)).await.unwrap();
    let join = creating(clinic.service(0), None, local(2, 10, 0));
    assert_eq!(customer.ask(&join).await, Err(BookingError::SlotTaken));

    expire(&world, Some(&made[0])).await;
    world.execute("update booking.holds set expires_at = now()").await;
    // Two places are free; for another service the time is still taken.
    let beside = customer.book(clinic.service(1), None, local(2, 10, 0)).await;
    assert_eq!(beside, Err(BookingError::SlotTaken));
    for _ in 0..2 {
        customer.ask(&join).await.unwrap();
    }
    assert_eq!(customer.ask(&join).await, Err(BookingError::SlotTaken));
    check_tables(&world).await;

    expire(&world, None).await;
    customer.book(clinic.service(1), None, local(2, 10, 15)).await.unwrap();
    assert_eq!(world.number("select count(*) from booking.sessions").await, 1);
    check_tables(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn either_the_clinic_is_in_time_or_the_next_one_gets_it() {
    let world = World::start_with(50, 10).await;
    let clinic = Clinic::new(&[30], 1);
    let _instances = [world.run_booking().await, world.run_booking().await];
    clinic.tell(&world).await;
    let _vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
    let (customer, staff) = (Person::customer(&world), Person::customer(&world));
    clinic.employ(&world, staff.id).await;
    let mut made = Vec::new();
    for place in 0..16 {
        made.push(customer.book(clinic.service(0), None, local(2, 9 + place / 2, place % 2 * 30)).await.unwrap());
    }

    // Each expires a little later than the one before.
    let soon = "update booking.bookings as booking set expires_at = now() + place.number * interval '8 milliseconds'
        from (select id, row_number() over (order by starts_at) as number from booking.bookings) as place
        where place.id = booking.id";
    world.execute(soon).await;
    let races: Vec<_> = made
        .into_iter()
        .map(|booking| {
            let (staff, rival) = (staff.clone(), Person::customer(&world));
            tokio::spawn(async move {
                let confirm = ConfirmBooking { id: booking.id };
                let confirming = staff.ask(&confirm);
                let wanting = rival.book(booking.service_id, None, booking.starts_at);
                let (confirmed, wanted) = tokio::join!(confirming, wanting);
                match (confirmed, wanted) {
                    (Ok(_), wanted) => assert_eq!(wanted, Err(BookingError::SlotTaken)),
                    // Whoever came too early, or while it was swept away, gets it a little later.
                    (Err(BookingError::BookingExpired), Err(BookingError::SlotTaken)) => loop {
                        match rival.book(booking.service_id, None, booking.starts_at).await {
                            Ok(_) => break,
                            Err(error) => assert_eq!(error, BookingError::SlotTaken),
                        }
                    },
                    (Err(BookingError::BookingExpired), Ok(_)) => {}
                    (confirmed, wanted) => panic!("{confirmed:?} {wanted:?}"),
                }
            })
        })
        .collect();
    for race in races {
        race.await.unwrap();
    }
    let owners = "select count(*) from booking.bookings where session_id is not null";
    assert_eq!(world.number(owners).await, 16);
    check_tables(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_wanted_is_swept_away_once() {
    let world = World::start_with(50, 10).await;
    let instances = [world.run_booking().await, world.run_booking().await];
    let clinic = Clinic::new(&[30], 8);
    clinic.tell(&world).await;
    let _vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
    let (customer, staff) = (Person::customer(&world), Person::customer(&world));
    clinic.employ(&world, staff.id).await;
    let wish = |place: u32| (clinic.service(0), None, local(2, 9 + place / 16, place / 8 % 2 * 30));
    let answers = crate::races::all_at_once(&world, (0..128).map(wish).collect()).await;
    let made = booked(answers);
    assert_eq!(made.len(), 128);
    staff.ask(&ConfirmBooking { id: made[0].id }).await.unwrap();
    customer.hold(clinic.service(0), None, local(3, 9, 0)).await.unwrap();

    expire(&world, None).await;
    world.execute("update booking.holds set expires_at = now()").await;
    world.until("select count(*) from booking.bookings where status = 'cancelled'", 127).await;
    world.until("select count(*) from booking.holds", 0).await;

    assert_eq!(world.number("select count(*) from booking.booking_changes where kind = 'expired'").await, 127);
    assert_eq!(world.number("select count(*) from booking.sessions").await, 1);
    assert_eq!(world.told("booking.cancelled").await, 127);
    let swept = staff.ask(&GetBooking { id: made[1].id }).await.unwrap();
    assert_eq!((swept.status, swept.version, swept.fee.amount), (BookingStatus::Cancelled, 2, 0));
    let history = staff.ask(&BookingHistory { id: swept.id, limit: None, cursor: None }).await.unwrap();
    let last = history.items.last().unwrap();
    assert_eq!((last.kind, last.actor, last.actor_id), (ChangeKind::Expired, ActorKind::System, None));
    assert_eq!(staff.ask(&ConfirmBooking { id: swept.id }).await, Err(BookingError::BookingExpired));
    check_tables(&world).await;
    for instance in instances {
        instance.drain().await.unwrap();
    }
}
