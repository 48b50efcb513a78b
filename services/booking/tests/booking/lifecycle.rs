//! One booking from its making to its end.

use crate::asking::{Person, code, creating};
use crate::clinic::{Clinic, local};
use crate::vendor_seat;
use crate::world::World;
use std::sync::{Arc, Mutex};
use subjects::booking::{
    ActorKind, BookingChange, BookingError, BookingHistory, BookingStatus, CancelBooking, ChangeKind, CompleteBooking,
    ConfirmBooking, CreateBooking, GetBooking, MarkNoShow, UpdateBooking, WalkIn,
};
use subjects::{ErrorCode, Money, Role};

#[tokio::test]
async fn a_booking_is_made_confirmed_moved_and_cancelled() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 2);
    clinic.tell(&world).await;
    let _vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
    let customer = Person::customer(&world);
    let staff = Person::customer(&world);
    clinic.employ(&world, staff.id).await;

    let request = CreateBooking { notes: Some("shy".into()), ..creating(clinic.service(0), None, local(2, 10, 0)) };
    let made = customer.ask(&request).await.unwrap();
    assert_eq!((made.status, made.version, made.provisional), (BookingStatus::Pending, 1, false));
    assert_eq!((made.customer_id, made.clinic_id), (Some(customer.id), clinic.clinic_id));
    assert_eq!((made.ends_at, made.price), (local(2, 10, 30), Money::idr(125_000)));
    assert_eq!(made.reference.len(), 8);
    assert_eq!(customer.ask(&GetBooking { id: made.id }).await.unwrap(), made);

    let confirmed = staff.ask(&ConfirmBooking { id: made.id }).await.unwrap();
    assert_eq!((confirmed.status, confirmed.version), (BookingStatus::Confirmed, 2));
    let again = staff.ask(&ConfirmBooking { id: made.id }).await.unwrap();
    assert_eq!(again, confirmed);

    let moving = UpdateBooking {
        id: made.id,
        starts_at: local(2, 10, 15),
        staff_id: Some(made.staff_id),
        notes: Some("shy".into()),
    };
    assert_eq!(code(customer.ask(&moving).await.unwrap_err()), ErrorCode::PreconditionRequired);
    assert_eq!(code(customer.ask_if(&moving, 1).await.unwrap_err()), ErrorCode::PreconditionFailed);
    let moved = customer.ask_if(&moving, 2).await.unwrap();
    assert_eq!((moved.status, moved.version), (BookingStatus::Pending, 3));
    assert_eq!((moved.id, &moved.reference), (made.id, &made.reference));
    assert_eq!((moved.starts_at, moved.ends_at), (local(2, 10, 15), local(2, 10, 45)));

    let noting = UpdateBooking { notes: None, staff_id: None, ..moving };
    let noted = staff.ask_if(&noting, 3).await.unwrap();
    assert_eq!((noted.notes, noted.version, noted.staff_id), (None, 4, made.staff_id));
    // Nothing is different: nothing happens.
    assert_eq!(staff.ask_if(&noting, 4).await.unwrap().version, 4);

    let cancelled = customer.ask(&CancelBooking { id: made.id, reason: Some("moved away".into()) }).await.unwrap();
    assert_eq!((cancelled.status, cancelled.version), (BookingStatus::Cancelled, 5));
    assert_eq!(code(customer.ask_if(&moving, 5).await.unwrap_err()), ErrorCode::Conflict);
    assert_eq!(world.number("select count(*) from booking.sessions").await, 0);

    let first = customer.ask(&BookingHistory { id: made.id, limit: Some(3), cursor: None }).await.unwrap();
    let rest = customer.ask(&BookingHistory { id: made.id, limit: Some(3), cursor: first.next_cursor }).await.unwrap();
    assert_eq!(rest.next_cursor, None);
    let history: Vec<_> = first.items.iter().chain(&rest.items).map(|change| (change.kind, change.actor)).collect();
    let expected = [
        (ChangeKind::Created, ActorKind::Customer),
        (ChangeKind::Confirmed, ActorKind::Staff),
        (ChangeKind::Rescheduled, ActorKind::Customer),
        (ChangeKind::NotesChanged, ActorKind::Staff),
        (ChangeKind::Cancelled, ActorKind::Customer),
    ];
    assert_eq!(history, expected);
    // Customers are not told whose account of the clinic it was.
    let shown = |items: &[BookingChange]| items.iter().map(|change| change.actor_id).collect::<Vec<_>>();
    let (of_customer, of_staff) = (Some(customer.id), Some(staff.id));
    assert_eq!(shown(&[first.items, rest.items].concat()), [of_customer, None, of_customer, None, of_customer]);
    let in_full = [of_customer, of_staff, of_customer, of_staff, of_customer];
    for viewer in [&staff, &Person::new(&world, &[Role::PlatformAdmin])] {
        let page = viewer.ask(&BookingHistory { id: made.id, limit: None, cursor: None }).await.unwrap();
        assert_eq!(shown(&page.items), in_full);
    }

    for (event_type, count) in [("created", 1), ("confirmed", 1), ("updated", 2), ("cancelled", 1)] {
        assert_eq!(world.told(&format!("booking.{event_type}")).await, count, "{event_type}");
    }
    // The time is free again.
    customer.book(clinic.service(0), Some(made.staff_id), local(2, 10, 15)).await.unwrap();
}

#[tokio::test]
async fn a_visit_is_completed_or_missed_once_it_has_begun() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    let _vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
    let (customer, staff) = (Person::customer(&world), Person::customer(&world));
    clinic.employ(&world, staff.id).await;

    let mut visits = Vec::new();
    for hour in [10, 11] {
        let made = customer.book(clinic.service(0), None, local(2, hour, 0)).await.unwrap();
        staff.ask(&ConfirmBooking { id: made.id }).await.unwrap();
        visits.push(made.id);
    }
    let early = staff.ask(&CompleteBooking { id: visits[0] }).await;
    assert_eq!(early, Err(BookingError::NotBegun));
    world.execute("update booking.bookings set starts_at = now() - interval '1 hour', ends_at = now()").await;

    let too_late = customer.ask(&CancelBooking { id: visits[0], reason: None }).await;
    assert_eq!(too_late, Err(BookingError::AlreadyBegun));
    assert_eq!(code(customer.ask(&CompleteBooking { id: visits[0] }).await.unwrap_err()), ErrorCode::Forbidden);
    assert_eq!(staff.ask(&CompleteBooking { id: visits[0] }).await.unwrap().status, BookingStatus::Completed);
    assert_eq!(staff.ask(&MarkNoShow { id: visits[1] }).await.unwrap().status, BookingStatus::NoShow);
    assert_eq!(staff.ask(&CompleteBooking { id: visits[1] }).await, Err(BookingError::WrongStatus));
    assert_eq!(staff.ask(&CancelBooking { id: visits[0], reason: None }).await, Err(BookingError::WrongStatus));
    assert_eq!((world.told("booking.completed").await, world.told("booking.no_show").await), (1, 1));
}

#[tokio::test]
async fn what_the_clinic_does_not_offer_is_refused() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30, 45], 1);
    clinic.tell(&world).await;
    let seat = Arc::new(Mutex::new(clinic.clone()));
    let _vendor = vendor_seat::sit_down(&world, seat.clone()).await;
    let customer = Person::customer(&world);
    let book = |staff_id, starts_at| customer.book(clinic.service(0), staff_id, starts_at);

    assert_eq!(book(None, local(2, 8, 59)).await, Err(BookingError::VendorUnavailable));
    assert_eq!(book(None, local(2, 16, 31)).await, Err(BookingError::VendorUnavailable));
    assert_eq!(book(Some(subjects::ids::StaffId::new()), local(2, 10, 0)).await, Err(BookingError::StaffUnsuitable));
    assert_eq!(
        book(None, chrono::DateTime::from_timestamp(1_700_000_040 / 60 * 60, 0).unwrap()).await,
        Err(BookingError::StartsInPast)
    );
    let unknown = customer.book(subjects::ids::ServiceId::new(), None, local(2, 10, 0)).await;
    assert_eq!(unknown, Err(BookingError::ServiceNotFound));
    let elsewhere = CreateBooking {
        clinic_id: Some(subjects::ids::ClinicId::new()),
        ..creating(clinic.service(0), None, local(2, 10, 0))
    };
    assert_eq!(customer.ask(&elsewhere).await, Err(BookingError::ServiceNotFound));
    seat.lock().unwrap().services[0].active = false;
    assert_eq!(book(None, local(2, 10, 0)).await, Err(BookingError::VendorUnavailable));
    assert_eq!(world.number("select count(*) from booking.bookings").await, 0);
    assert_eq!(world.number("select count(*) from booking.sessions").await, 0);
}

#[tokio::test]
async fn staff_book_for_walk_ins_and_nobody_else_does() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    let (customer, staff) = (Person::customer(&world), Person::new(&world, &[]));
    clinic.employ(&world, staff.id).await;
    let walk_in =
        Some(WalkIn { name: testmesh::personal::text("Sulastri"), phone: Some(testmesh::personal::PHONE.into()) });
    let request = CreateBooking { walk_in, ..creating(clinic.service(0), None, local(2, 10, 0)) };

    assert_eq!(code(customer.ask(&request).await.unwrap_err()), ErrorCode::Forbidden);
    let made = staff.ask(&request).await.unwrap();
    assert_eq!((made.customer_id, made.walk_in), (None, request.walk_in.clone()));
    // A member without the customer's role books for others only.
    let own = creating(clinic.service(0), None, local(2, 11, 0));
    assert_eq!(code(staff.ask(&own).await.unwrap_err()), ErrorCode::Forbidden);

    // Few digits would be found in any id.
    let digits = testmesh::personal::PHONE.trim_start_matches('+');
    let personal = &format!(
        "select count(*) from booking.outbox
        where body::text like '%Sulastri%' or body::text like '%{digits}%' or body::text like '%Milo%'"
    );
    assert_eq!(world.told("booking.created").await, 1);
    assert_eq!(world.number(personal).await, 0);
    let admin = Person::new(&world, &[Role::PlatformAdmin]);
    assert_eq!(admin.ask(&GetBooking { id: made.id }).await.unwrap().id, made.id);
}
