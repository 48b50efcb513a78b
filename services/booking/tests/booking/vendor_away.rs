//! Without the vendor service, and when it is back.

use crate::asking::{Person, code, creating};
use crate::clinic::{Clinic, local};
use crate::vendor_seat;
use crate::world::World;
use std::sync::{Arc, Mutex};
use subjects::booking::{
    Attention, BookingError, BookingHistory, BookingStatus, ChangeKind, ConfirmBooking, CreateHold, GetBooking,
    UpdateBooking,
};
use subjects::ids::ServiceId;
use subjects::{ErrorCode, Fallback};

#[tokio::test]
async fn bookings_go_on_and_are_checked_when_vendor_is_back() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 2);
    clinic.tell(&world).await;
    let (customer, staff) = (Person::customer(&world), Person::customer(&world));
    clinic.employ(&world, staff.id).await;

    let fits = customer.book(clinic.service(0), Some(clinic.staff(0)), local(2, 10, 0)).await.unwrap();
    let loses_its_staff = customer.book(clinic.service(0), Some(clinic.staff(1)), local(2, 10, 0)).await.unwrap();
    assert!(fits.provisional && loses_its_staff.provisional);
    assert_eq!(staff.ask(&ConfirmBooking { id: fits.id }).await, Err(BookingError::AwaitingCheck));
    // What the read models refuse is refused.
    let too_early = customer.book(clinic.service(0), None, local(2, 8, 0)).await;
    assert_eq!(too_early, Err(BookingError::VendorUnavailable));
    // What they do not know may exist all the same.
    let unknown = customer.book(ServiceId::new(), None, local(2, 10, 0)).await.unwrap_err();
    assert_eq!(code(unknown), ErrorCode::Unavailable);

    let mut now_without_one = clinic.clone();
    now_without_one.staff.truncate(1);
    let vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(now_without_one))).await;
    world.until("select count(*) from booking.bookings where needs_check", 0).await;

    let checked = customer.ask(&GetBooking { id: fits.id }).await.unwrap();
    assert_eq!((checked.provisional, checked.attention, checked.version), (false, None, 2));
    let misfit = customer.ask(&GetBooking { id: loses_its_staff.id }).await.unwrap();
    assert_eq!((misfit.provisional, misfit.attention), (false, Some(Attention::StaffRemoved)));
    assert_eq!(misfit.status, BookingStatus::Pending);
    let history = customer.ask(&BookingHistory { id: misfit.id, limit: None, cursor: None }).await.unwrap();
    assert_eq!(history.items.last().unwrap().kind, ChangeKind::NeedsAttention);
    assert_eq!((world.told("booking.updated").await, world.told("booking.needs_attention").await), (1, 1));

    // The clinic may still take it.
    assert_eq!(staff.ask(&ConfirmBooking { id: fits.id }).await.unwrap().status, BookingStatus::Confirmed);
    let taken = staff.ask(&ConfirmBooking { id: misfit.id }).await.unwrap();
    assert_eq!((taken.status, taken.attention), (BookingStatus::Confirmed, None));

    let asked = creating(clinic.service(0), None, local(2, 11, 0));
    assert_eq!(customer.ask_with(&asked, None, None).await.unwrap().fallback, None);
    vendor.drain().await.unwrap();
    let without_again = customer.book(clinic.service(0), None, local(2, 12, 0)).await.unwrap();
    assert!(without_again.provisional);
}

#[tokio::test]
async fn what_rests_on_the_copy_of_the_schedule_says_so() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 2);
    clinic.tell(&world).await;
    let customer = Person::customer(&world);

    let held = CreateHold { service_id: clinic.service(0), staff_id: None, starts_at: local(2, 9, 0) };
    let held = customer.ask_with(&held, None, None).await.unwrap();
    assert_eq!(held.fallback, Some(Fallback::ScheduleCopy));

    let asked = creating(clinic.service(0), None, local(2, 10, 0));
    let made = customer.ask_with(&asked, None, Some("once")).await.unwrap();
    assert_eq!((made.fallback, made.replayed), (Some(Fallback::ScheduleCopy), false));
    let again = customer.ask_with(&asked, None, Some("once")).await.unwrap();
    assert_eq!((again.fallback, again.replayed), (None, true), "what was stored is as it was");

    let moved = UpdateBooking { id: made.body.id, starts_at: local(2, 11, 0), staff_id: None, notes: None };
    let moved = customer.ask_with(&moved, Some(made.body.version), None).await.unwrap();
    assert_eq!(moved.fallback, Some(Fallback::ScheduleCopy));
    // What needs no vendor service stands in for nothing.
    let seen = customer.ask_with(&GetBooking { id: made.body.id }, None, None).await.unwrap();
    assert_eq!(seen.fallback, None);
}
