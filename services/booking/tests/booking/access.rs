//! Nobody reaches another's bookings.

use crate::asking::Person;
use crate::clinic::{Clinic, local};
use crate::world::World;
use std::collections::BTreeSet;
use subjects::booking::{
    BookingError, BookingHistory, BookingStatus, CancelBooking, CompleteBooking, ConfirmBooking, FindBookings,
    GetBooking, MarkNoShow, UpdateBooking,
};
use subjects::ids::BookingId;
use subjects::vendor::MembershipRevoked;
use subjects::{Request, Role};

async fn is_hidden<R: Request<Error = BookingError>>(person: &Person, request: R) -> bool
where
    R::Reply: std::fmt::Debug,
{
    let answer = person.ask_with(&request, Some(1), None).await;
    matches!(answer.map(|answer| answer.body), Err(BookingError::BookingNotFound))
}

#[tokio::test]
async fn strangers_and_the_staff_of_others_find_nothing() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let (clinic, other_clinic) = (Clinic::new(&[30], 1), Clinic::new(&[30], 1));
    clinic.tell(&world).await;
    other_clinic.tell(&world).await;
    let customer = Person::customer(&world);
    let id = customer.book(clinic.service(0), None, local(2, 10, 0)).await.unwrap().id;

    let (stranger, competitor) = (Person::customer(&world), Person::customer(&world));
    other_clinic.employ(&world, competitor.id).await;
    let former = Person::customer(&world);
    let mut membership = clinic.employ(&world, former.id).await;
    assert!(former.ask(&GetBooking { id }).await.is_ok());
    membership.version = 2;
    world.tell(&MembershipRevoked(membership)).await;
    world.until("select count(*) from booking.memberships where removed_at is not null", 1).await;

    for person in [&stranger, &competitor, &former] {
        assert!(is_hidden(person, GetBooking { id }).await);
        assert!(is_hidden(person, BookingHistory { id, limit: None, cursor: None }).await);
        assert!(is_hidden(person, CancelBooking { id, reason: None }).await);
        assert!(is_hidden(person, ConfirmBooking { id }).await);
        assert!(is_hidden(person, CompleteBooking { id }).await);
        assert!(is_hidden(person, MarkNoShow { id }).await);
        let update = UpdateBooking { id, starts_at: local(2, 11, 0), staff_id: None, notes: None };
        assert!(is_hidden(person, update).await);
        for clinic_id in [None, Some(clinic.clinic_id)] {
            let page = person.ask(&FindBookings { clinic_id, ..FindBookings::default() }).await.unwrap();
            assert!(page.items.is_empty());
        }
    }
    // Nothing of what was tried has left a trace.
    assert_eq!(customer.ask(&GetBooking { id }).await.unwrap().version, 1);
}

#[tokio::test]
async fn lists_show_ones_own_or_those_of_the_clinic() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 2);
    clinic.tell(&world).await;
    let (anna, budi, staff) = (Person::customer(&world), Person::customer(&world), Person::customer(&world));
    clinic.employ(&world, staff.id).await;
    let admin = Person::new(&world, &[Role::PlatformAdmin]);
    let mut of_anna = Vec::new();
    for hour in [11, 9, 10, 13, 12] {
        of_anna.push(anna.book(clinic.service(0), Some(clinic.staff(0)), local(2, hour, 0)).await.unwrap());
    }
    let of_budi = budi.book(clinic.service(0), Some(clinic.staff(1)), local(2, 10, 0)).await.unwrap();

    // Page by page, the earliest first, without a gap or a repetition.
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let request = FindBookings { limit: Some(2), cursor, ..FindBookings::default() };
        let page = anna.ask(&request).await.unwrap();
        seen.extend(page.items.iter().map(|booking| booking.starts_at));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<_> = [9, 10, 11, 12, 13].map(|hour| local(2, hour, 0)).into();
    assert_eq!(seen, expected);

    let ids = |page: subjects::Page<subjects::booking::Booking>| -> BTreeSet<BookingId> {
        page.items.into_iter().map(|booking| booking.id).collect()
    };
    let of_clinic = FindBookings { clinic_id: Some(clinic.clinic_id), ..FindBookings::default() };
    assert_eq!(ids(anna.ask(&of_clinic).await.unwrap()).len(), 5);
    assert_eq!(ids(staff.ask(&of_clinic).await.unwrap()).len(), 6);
    assert_eq!(ids(admin.ask(&of_clinic).await.unwrap()).len(), 6);
    assert_eq!(ids(staff.ask(&FindBookings::default()).await.unwrap()).len(), 0);

    anna.ask(&CancelBooking { id: of_anna[0].id, reason: None }).await.unwrap();
    let cancelled = FindBookings { status: Some(BookingStatus::Cancelled), ..of_clinic.clone() };
    assert_eq!(ids(staff.ask(&cancelled).await.unwrap()), BTreeSet::from([of_anna[0].id]));
    let with_the_other = FindBookings { staff_id: Some(clinic.staff(1)), ..of_clinic.clone() };
    assert_eq!(ids(staff.ask(&with_the_other).await.unwrap()), BTreeSet::from([of_budi.id]));
    let around_ten = FindBookings { from: Some(local(2, 10, 0)), to: Some(local(2, 11, 0)), ..of_clinic.clone() };
    assert_eq!(ids(staff.ask(&around_ten).await.unwrap()), BTreeSet::from([of_anna[2].id, of_budi.id]));
    let bad = FindBookings { cursor: Some("bm9uc2Vuc2U".into()), ..FindBookings::default() };
    assert!(anna.ask(&bad).await.is_err());
}
