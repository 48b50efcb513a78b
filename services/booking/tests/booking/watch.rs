//! Who sees what of bookings as they change.

use crate::asking::Person;
use crate::clinic::{Clinic, local};
use crate::world::World;
use subjects::Role;
use subjects::booking::{BookingItem, BookingStatus, CancelBooking, FindBookings, UpdateBooking, WatchBookings};
use subjects::ids::ClinicId;

async fn book(customer: &Person, clinic: &Clinic, hour: u32) -> subjects::booking::Booking {
    customer.book(clinic.service(0), None, local(2, hour, 0)).await.unwrap()
}

fn seen(items: &[BookingItem]) -> Vec<(subjects::ids::BookingId, i64)> {
    items.iter().map(|item| (item.0.booking_id, item.0.version)).collect()
}

#[tokio::test]
async fn customers_watch_their_own_and_staff_watch_their_clinic() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let (clinic, other_clinic) = (Clinic::new(&[30], 2), Clinic::new(&[30], 1));
    clinic.tell(&world).await;
    other_clinic.tell(&world).await;
    let (customer, other_customer, staff) =
        (Person::customer(&world), Person::customer(&world), Person::customer(&world));
    clinic.employ(&world, staff.id).await;
    let own = book(&customer, &clinic, 10).await;
    let own_elsewhere = book(&customer, &other_clinic, 10).await;
    let others = book(&other_customer, &clinic, 11).await;

    let everything = WatchBookings::default();
    let of_clinic = WatchBookings { clinic_id: Some(clinic.clinic_id), ..WatchBookings::default() };
    let mut all_own = world.watch(&everything, customer.asker()).await.unwrap();
    let snapshot = all_own.snapshot().await;
    assert_eq!(seen(&snapshot).iter().map(|(id, _)| *id).collect::<Vec<_>>(), [own.id, own_elsewhere.id]);
    // For a customer, a clinic is a filter on their own; for its staff it is all of it.
    let mut own_there = world.watch(&of_clinic, customer.asker()).await.unwrap();
    assert_eq!(seen(&own_there.snapshot().await).len(), 1);
    let mut of_staff = world.watch(&of_clinic, staff.asker()).await.unwrap();
    assert_eq!(seen(&of_staff.snapshot().await).len(), 2);
    let mut staff_privately = world.watch(&everything, staff.asker()).await.unwrap();
    assert_eq!(staff_privately.snapshot().await, []);
    let elsewhere = WatchBookings { clinic_id: Some(ClinicId::new()), ..WatchBookings::default() };
    assert_eq!(world.watch(&elsewhere, staff.asker()).await.unwrap().snapshot().await, []);
    // A stranger who names the clinic.
    let stranger = Person::customer(&world);
    let mut nothing = world.watch(&of_clinic, stranger.asker()).await.unwrap();
    assert_eq!(nothing.snapshot().await, []);

    staff.ask(&CancelBooking { id: others.id, reason: None }).await.unwrap();
    let told = of_staff.change().await.0;
    assert_eq!((told.booking_id, told.status), (others.id, BookingStatus::Cancelled));
    let update = UpdateBooking { id: own.id, starts_at: local(3, 9, 0), staff_id: None, notes: Some("!".to_owned()) };
    let moved = customer.ask_if(&update, own.version).await.unwrap();
    customer.ask(&CancelBooking { id: own.id, reason: Some("a private matter".to_owned()) }).await.unwrap();
    for watched in [&mut all_own, &mut own_there, &mut of_staff] {
        let told = watched.change().await.0;
        assert_eq!((told.booking_id, told.version, told.starts_at), (own.id, moved.version, moved.starts_at));
        let told = watched.change().await.0;
        assert_eq!((told.booking_id, told.status), (own.id, BookingStatus::Cancelled));
    }
    let waited = tokio::time::timeout(std::time::Duration::from_millis(200), nothing.change()).await;
    assert!(waited.is_err(), "a stranger heard of {waited:?}");

    // What is long over is not watched unless it is asked for.
    world.execute("update booking.bookings set starts_at = '2020-01-01', ends_at = '2020-01-02'").await;
    assert_eq!(world.watch(&everything, customer.asker()).await.unwrap().snapshot().await, []);
    let from = Some("2019-01-01T00:00:00Z".parse().unwrap());
    let since = WatchBookings { from, ..WatchBookings::default() };
    assert_eq!(world.watch(&since, customer.asker()).await.unwrap().snapshot().await.len(), 2);
}

#[tokio::test]
async fn of_who_sees_any_clinic_the_audit_log_keeps_which() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let admin = Person::new(&world, &[Role::PlatformAdmin]);
    let clinic_id = ClinicId::new();
    let of_clinic = WatchBookings { clinic_id: Some(clinic_id), ..WatchBookings::default() };
    world.watch(&of_clinic, admin.asker()).await.unwrap();
    admin.ask(&FindBookings { clinic_id: Some(clinic_id), ..FindBookings::default() }).await.unwrap();
    let kept = format!(
        "select string_agg(operation, ' ' order by id) from booking.audit_entries where subject_id = '{clinic_id}'"
    );
    world.until_query(&kept, "booking.watch booking.findAll").await;
}
