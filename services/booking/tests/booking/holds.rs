//! Time that is held for somebody.

use crate::asking::{Person, code, creating, creating_from};
use crate::clinic::{Clinic, local};
use crate::vendor_seat;
use crate::world::World;
use std::sync::{Arc, Mutex};
use subjects::booking::{
    BookingError, BookingStatus, CancelBooking, CreateBooking, CreateHold, FindHold, GetBooking, Hold, ReleaseHold,
    WalkIn,
};
use subjects::ids::HoldId;
use subjects::vendor::{StaffState, StaffUpdated};
use subjects::{ErrorCode, Role};

#[tokio::test]
async fn a_hold_keeps_its_time_and_becomes_a_booking() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 2);
    clinic.tell(&world).await;
    let _vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
    let (holder, rival) = (Person::customer(&world), Person::customer(&world));

    let held = holder.hold(clinic.service(0), Some(clinic.staff(1)), local(2, 10, 0)).await.unwrap();
    assert_eq!((held.staff_id, held.clinic_id), (clinic.staff(1), clinic.clinic_id));
    assert_eq!((held.ends_at, held.expires_at - held.created_at), (local(2, 10, 30), chrono::Duration::minutes(5)));
    assert_eq!(holder.ask(&FindHold { id: held.id }).await.unwrap(), held);
    let taken = rival.book(clinic.service(0), Some(clinic.staff(1)), local(2, 10, 0)).await;
    assert_eq!(taken, Err(BookingError::SlotTaken));
    // It is nobody else's.
    assert_eq!(rival.ask(&FindHold { id: held.id }).await, Err(BookingError::HoldNotFound));
    assert_eq!(rival.ask(&creating_from(&held)).await, Err(BookingError::HoldNotFound));

    let made = holder.ask(&creating_from(&held)).await.unwrap();
    assert_eq!((made.staff_id, made.starts_at, made.ends_at), (held.staff_id, held.starts_at, held.ends_at));
    assert_eq!((made.status, made.customer_id, made.provisional), (BookingStatus::Pending, Some(holder.id), false));
    assert_eq!(holder.ask(&GetBooking { id: made.id }).await.unwrap(), made);
    assert_eq!(holder.ask(&FindHold { id: held.id }).await, Err(BookingError::HoldNotFound));
    assert_eq!(world.number("select count(*) from booking.sessions where taken = 1").await, 1);
    // Giving back what has become a booking changes nothing.
    holder.ask(&ReleaseHold { id: held.id }).await.unwrap();
    holder.ask(&CancelBooking { id: made.id, reason: None }).await.unwrap();
    assert_eq!(world.number("select count(*) from booking.sessions").await, 0);
}

#[tokio::test]
async fn held_time_is_given_back_by_its_holder_only() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    let (holder, rival) = (Person::customer(&world), Person::customer(&world));
    let held = holder.hold(clinic.service(0), None, local(2, 10, 0)).await.unwrap();

    assert_eq!(rival.ask(&ReleaseHold { id: held.id }).await, Err(BookingError::HoldNotFound));
    assert_eq!(holder.ask(&FindHold { id: held.id }).await.unwrap(), held);
    for _ in 0..2 {
        holder.ask(&ReleaseHold { id: held.id }).await.unwrap();
    }
    holder.ask(&ReleaseHold { id: HoldId::new() }).await.unwrap();
    assert_eq!(world.number("select count(*) from booking.sessions").await, 0);
    rival.hold(clinic.service(0), None, local(2, 10, 0)).await.unwrap();
}

#[tokio::test]
async fn a_hold_is_for_one_service_time_and_staff_member() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30, 30], 2);
    clinic.tell(&world).await;
    let holder = Person::customer(&world);
    let held = holder.hold(clinic.service(0), Some(clinic.staff(0)), local(2, 10, 0)).await.unwrap();

    let fitting = creating_from(&held);
    let others = [
        CreateBooking { service_id: clinic.service(1), ..fitting.clone() },
        CreateBooking { starts_at: local(2, 10, 15), ..fitting.clone() },
        CreateBooking { staff_id: Some(clinic.staff(1)), ..fitting.clone() },
    ];
    for other in others {
        assert_eq!(holder.ask(&other).await, Err(BookingError::HoldMismatch));
    }
    // A refusal has left the hold as it was.
    assert_eq!(holder.ask(&FindHold { id: held.id }).await.unwrap(), held);

    let away = StaffState { active: false, version: 2, ..clinic.staff[0].clone() };
    world.tell(&StaffUpdated(away)).await;
    world.until("select count(*) from booking.staff where version = 2", 1).await;
    assert_eq!(holder.ask(&fitting).await, Err(BookingError::VendorUnavailable));
    let back = StaffState { version: 3, ..clinic.staff[0].clone() };
    world.tell(&StaffUpdated(back)).await;
    world.until("select count(*) from booking.staff where version = 3", 1).await;
    let named = CreateBooking { staff_id: Some(clinic.staff(0)), ..fitting };
    assert_eq!(holder.ask(&named).await.unwrap().staff_id, clinic.staff(0));
}

#[tokio::test]
async fn an_expired_hold_is_none() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    let (holder, rival) = (Person::customer(&world), Person::customer(&world));
    let held = holder.hold(clinic.service(0), None, local(2, 10, 0)).await.unwrap();
    world.execute("update booking.holds set expires_at = now()").await;

    assert_eq!(holder.ask(&FindHold { id: held.id }).await, Err(BookingError::HoldNotFound));
    assert_eq!(holder.ask(&creating_from(&held)).await, Err(BookingError::HoldNotFound));
    // Its time is the next one's, who may as well be the one who held it.
    rival.book(clinic.service(0), None, local(2, 10, 0)).await.unwrap();
    assert_eq!(world.number("select count(*) from booking.holds").await, 0);
    assert_eq!(world.number("select count(*) from booking.sessions where taken = 1").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_holds_five_slots_at_a_time() {
    let world = World::start().await;
    let _instances = [world.run_booking().await, world.run_booking().await];
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    let holder = Person::customer(&world);

    let asking: Vec<_> = (0..16_u32)
        .map(|place| {
            let (holder, service_id) = (holder.clone(), clinic.service(0));
            tokio::spawn(async move { holder.hold(service_id, None, local(2, 9 + place / 2, place % 2 * 30)).await })
        })
        .collect();
    let mut held: Vec<Hold> = Vec::new();
    for answer in asking {
        match answer.await.unwrap() {
            Ok(hold) => held.push(hold),
            Err(error) => assert_eq!(error, BookingError::TooManyHolds),
        }
    }
    assert_eq!(held.len(), 5);
    assert_eq!(world.number("select count(*) from booking.sessions").await, 5);

    // Another day's slots, so that nobody is in the way: one given back, one expired, one booked make room for three.
    holder.ask(&ReleaseHold { id: held[0].id }).await.unwrap();
    world.execute(&format!("update booking.holds set expires_at = now() where id = '{}'", held[1].id)).await;
    holder.ask(&creating_from(&held[2])).await.unwrap();
    for hour in [9, 10, 11] {
        holder.hold(clinic.service(0), None, local(3, hour, 0)).await.unwrap();
    }
    let one_more = holder.hold(clinic.service(0), None, local(3, 12, 0)).await;
    assert_eq!(one_more, Err(BookingError::TooManyHolds));
    Person::customer(&world).hold(clinic.service(0), None, local(3, 12, 0)).await.unwrap();
}

#[tokio::test]
async fn staff_hold_for_walk_ins_off_the_grid() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let mut clinic = Clinic::new(&[30], 1);
    clinic.services[0].minimum_notice_minutes = 43_200;
    clinic.tell(&world).await;
    let (staff, nobody) = (Person::new(&world, &[]), Person::new(&world, &[]));
    clinic.employ(&world, staff.id).await;

    let customer = Person::customer(&world);
    let hold_at =
        |minute| CreateHold { service_id: clinic.service(0), staff_id: None, starts_at: local(2, 10, minute) };
    assert_eq!(customer.ask(&hold_at(0)).await, Err(BookingError::TooSoon));
    assert_eq!(code(nobody.ask(&hold_at(0)).await.unwrap_err()), ErrorCode::Forbidden);
    let held = staff.ask(&hold_at(7)).await.unwrap();
    // Without the customer's role it becomes a walk-in's booking only.
    assert_eq!(code(staff.ask(&creating_from(&held)).await.unwrap_err()), ErrorCode::Forbidden);
    let walk_in = Some(WalkIn { name: testmesh::personal::text("Sulastri"), phone: None });
    let made = staff.ask(&CreateBooking { walk_in, ..creating_from(&held) }).await.unwrap();
    assert_eq!((made.starts_at, made.customer_id), (local(2, 10, 7), None));
    let admin = Person::new(&world, &[Role::PlatformAdmin, Role::Customer]);
    assert!(admin.ask(&hold_at(41)).await.is_ok());
    let past = CreateHold { starts_at: local(0, 9, 0) - chrono::Duration::days(3), ..hold_at(0) };
    assert_eq!(customer.ask(&past).await, Err(BookingError::StartsInPast));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_becomes_one_booking() {
    let world = World::start().await;
    let _instances = [world.run_booking().await, world.run_booking().await];
    let clinic = Clinic::new(&[30], 2);
    clinic.tell(&world).await;
    let holder = Person::customer(&world);

    for hour in 9..13 {
        let held = holder.hold(clinic.service(0), None, local(2, hour, 0)).await.unwrap();
        let asking: Vec<_> = (0..6)
            .map(|place| {
                let (holder, held) = (holder.clone(), held.clone());
                let key = format!("{hour}-{place}");
                tokio::spawn(async move { holder.ask_with(&creating_from(&held), None, Some(&key)).await })
            })
            .collect();
        let mut made = 0;
        for answer in asking {
            match answer.await.unwrap() {
                Ok(answer) => made += i32::from(answer.body.starts_at == held.starts_at),
                Err(error) => assert_eq!(error, BookingError::HoldNotFound),
            }
        }
        assert_eq!(made, 1);
    }
    assert_eq!(world.number("select count(*) from booking.holds").await, 0);
    crate::races::check_tables(&world).await;
    assert_eq!(world.told("booking.created").await, 4);
    // What stands there without a hold is as free as ever.
    holder.ask(&creating(clinic.service(0), None, local(2, 9, 0))).await.unwrap();
}
