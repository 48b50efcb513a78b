//! Orders of lists.

use crate::asking::{Person, code};
use crate::clinic::{Clinic, local};
use crate::world::World;
use subjects::ErrorCode;
use subjects::booking::{BookingSort, FindBookings};
use subjects::ids::BookingId;

/// All pages of a list.
async fn pages(person: &Person, request: FindBookings) -> Vec<BookingId> {
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = person.ask(&FindBookings { limit: Some(2), cursor, ..request.clone() }).await.unwrap();
        seen.extend(page.items.iter().map(|booking| booking.id));
        cursor = page.next_cursor;
        if cursor.is_none() {
            return seen;
        }
    }
}

#[tokio::test]
async fn lists_have_the_order_that_is_asked_for_and_their_cursors_keep_it() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 3);
    clinic.tell(&world).await;
    let (customer, staff) = (Person::customer(&world), Person::customer(&world));
    clinic.employ(&world, staff.id).await;
    let mut made = Vec::new();
    // Some begin at the same time, with others.
    for hour in [11, 9, 10, 11, 9, 11, 12] {
        made.push(customer.book(clinic.service(0), None, local(2, hour, 0)).await.unwrap());
    }

    let of_clinic = FindBookings { clinic_id: Some(clinic.clinic_id), ..FindBookings::default() };
    for (person, list) in [(&customer, FindBookings::default()), (&staff, of_clinic)] {
        let sorted = |sort| FindBookings { sort, ..list.clone() };
        let mut expected = made.clone();
        expected.sort_by_key(|booking| (booking.starts_at, booking.id));
        let mut ids: Vec<BookingId> = expected.iter().map(|booking| booking.id).collect();
        assert_eq!(pages(person, sorted(None)).await, ids);
        assert_eq!(pages(person, sorted(Some(BookingSort::StartsAt))).await, ids);
        ids.reverse();
        assert_eq!(pages(person, sorted(Some(BookingSort::StartsAtDescending))).await, ids);
        let latest_first: Vec<BookingId> = made.iter().rev().map(|booking| booking.id).collect();
        assert_eq!(pages(person, sorted(Some(BookingSort::CreatedAtDescending))).await, latest_first);
    }

    let first = customer.ask(&FindBookings { limit: Some(2), ..FindBookings::default() }).await.unwrap();
    let in_another_order = FindBookings {
        cursor: first.next_cursor,
        sort: Some(BookingSort::CreatedAtDescending),
        ..FindBookings::default()
    };
    assert_eq!(code(customer.ask(&in_another_order).await.unwrap_err()), ErrorCode::BadRequest);
}
