//! What changing one's mind late costs.

use crate::asking::Person;
use crate::clinic::{Clinic, local};
use crate::vendor_seat;
use crate::world::World;
use std::sync::{Arc, Mutex};
use subjects::booking::{BookingHistory, CancelBooking, ConfirmBooking, UpdateBooking};
use subjects::{Money, Role};

/// Thirty days of notice, which every visit of these tests lies within.
const LONG: u32 = 43_200;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Deed {
    Cancel,
    Move,
}

#[tokio::test]
async fn only_customers_pay_and_only_when_they_are_late() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let mut clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    let seat = Arc::new(Mutex::new(clinic.clone()));
    let _vendor = vendor_seat::sit_down(&world, seat.clone()).await;
    let (customer, staff) = (Person::customer(&world), Person::customer(&world));
    clinic.employ(&world, staff.id).await;
    let admin = Person::new(&world, &[Role::PlatformAdmin]);
    clinic.policy.cancel_fee_percent = 50;
    clinic.policy.reschedule_fee_percent = 20;

    // The notice of what is not done is the other way round, so that each deed is seen to have its own.
    let (cancel, moving) = (62_500, 25_000);
    let table = [
        (&customer, Deed::Cancel, 0, LONG, 0),
        (&customer, Deed::Cancel, LONG, 0, cancel),
        (&customer, Deed::Move, LONG, 0, 0),
        (&customer, Deed::Move, 0, LONG, moving),
        (&staff, Deed::Cancel, LONG, LONG, 0),
        (&staff, Deed::Move, LONG, LONG, 0),
        (&admin, Deed::Cancel, LONG, LONG, 0),
        (&admin, Deed::Move, LONG, LONG, 0),
    ];
    for (row, (who, deed, cancel_notice, reschedule_notice, fee)) in table.into_iter().enumerate() {
        clinic.policy.cancel_notice_minutes = cancel_notice;
        clinic.policy.reschedule_notice_minutes = reschedule_notice;
        seat.lock().unwrap().policy = clinic.policy;
        let hour = 9 + u32::try_from(row).unwrap();
        let hour = hour.min(16);
        let made = customer.book(clinic.service(0), None, local(2, hour, 0)).await.unwrap();
        assert_eq!((made.policy, made.fee), (clinic.policy, Money::idr(0)));
        // It is the rules of then that count.
        seat.lock().unwrap().policy = subjects::vendor::BookingPolicy::default();
        let changed = match deed {
            Deed::Cancel => who.ask(&CancelBooking { id: made.id, reason: None }).await.unwrap(),
            Deed::Move => {
                let moving = UpdateBooking { id: made.id, starts_at: local(3, hour, 0), staff_id: None, notes: None };
                who.ask_if(&moving, 1).await.unwrap()
            }
        };
        assert_eq!(changed.fee, Money::idr(fee), "row {row}");
        let history = customer.ask(&BookingHistory { id: made.id, limit: None, cursor: None }).await.unwrap();
        let fees: Vec<i64> = history.items.iter().map(|change| change.fee.amount).collect();
        assert_eq!(fees, [0, fee], "row {row}");
        let told = format!(
            "select (body -> 'fee' ->> 'amount')::bigint from booking.outbox
            where aggregate_id = '{}' and version = 2",
            made.id
        );
        assert_eq!(world.number(&told).await, fee, "row {row}");
    }
}

#[tokio::test]
async fn fees_add_up() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let mut clinic = Clinic::new(&[30], 1);
    clinic.policy.cancel_notice_minutes = LONG;
    clinic.policy.cancel_fee_percent = 100;
    clinic.policy.reschedule_notice_minutes = LONG;
    clinic.policy.reschedule_fee_percent = 10;
    clinic.tell(&world).await;
    let _vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
    let (customer, staff) = (Person::customer(&world), Person::customer(&world));
    clinic.employ(&world, staff.id).await;
    let made = customer.book(clinic.service(0), None, local(2, 10, 0)).await.unwrap();
    staff.ask(&ConfirmBooking { id: made.id }).await.unwrap();

    let moving = |hour| UpdateBooking { id: made.id, starts_at: local(2, hour, 0), staff_id: None, notes: None };
    assert_eq!(customer.ask_if(&moving(11), 2).await.unwrap().fee, Money::idr(12_500));
    // Notes are free.
    let noted = customer.ask_if(&UpdateBooking { notes: Some("shy".into()), ..moving(11) }, 3).await.unwrap();
    assert_eq!(noted.fee, Money::idr(12_500));
    assert_eq!(customer.ask_if(&moving(12), 4).await.unwrap().fee, Money::idr(25_000));
    let cancelled = customer.ask(&CancelBooking { id: made.id, reason: None }).await.unwrap();
    assert_eq!(cancelled.fee, Money::idr(150_000));
    // Twice is once.
    assert_eq!(customer.ask(&CancelBooking { id: made.id, reason: None }).await.unwrap(), cancelled);

    // What nobody confirmed in time costs nothing.
    let late = customer.book(clinic.service(0), None, local(2, 14, 0)).await.unwrap();
    world.execute("update booking.bookings set expires_at = now() where status = 'pending'").await;
    assert_eq!(customer.ask(&CancelBooking { id: late.id, reason: None }).await.unwrap().fee, Money::idr(0));
}
