//! What vendor's events leave behind, in whatever order they come.

use crate::asking::Person;
use crate::clinic::{Clinic, approved, local};
use crate::world::World;
use subjects::booking::BookingError;
use subjects::vendor::{
    BookingPolicy, HoursState, HoursUpdated, ServiceRemoved, ServiceState, ServiceUpdated, StaffState, StaffUpdated,
    VendorState, VendorStatus, VendorSuspended, VendorUpdated,
};

#[tokio::test]
async fn an_older_version_changes_nothing() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    let version_of =
        |version: i64| ServiceState { version, name: format!("Version {version}"), ..clinic.services[0].clone() };

    world.tell(&ServiceUpdated(version_of(3))).await;
    world.until("select version from booking.services", 3).await;
    world.tell(&ServiceUpdated(version_of(2))).await;
    world.tell(&ServiceUpdated(version_of(4))).await;
    world.until("select version from booking.services", 4).await;
    world.until("select count(*) from booking.inbox where handler = 'service_updated'", 4).await;
    assert_eq!(world.number("select count(*) from booking.services where name = 'Version 4'").await, 1);
}

#[tokio::test]
async fn a_removed_service_stays_removed() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    let gone = ServiceState { version: 3, active: false, ..clinic.services[0].clone() };
    world.tell(&ServiceRemoved(gone)).await;
    world.until("select count(*) from booking.services where removed_at is not null", 1).await;
    let late = ServiceState { version: 2, ..clinic.services[0].clone() };
    world.tell(&ServiceUpdated(late)).await;
    world.until("select count(*) from booking.inbox where handler = 'service_updated'", 2).await;

    let refused = Person::customer(&world).book(clinic.service(0), None, local(2, 10, 0)).await;
    assert_eq!(refused, Err(BookingError::ServiceNotFound));
}

#[tokio::test]
async fn what_changes_at_vendor_changes_what_can_be_booked() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    let customer = Person::customer(&world);
    let book = |hour| customer.book(clinic.service(0), None, local(2, hour, 0));
    assert!(book(10).await.is_ok());

    let mut hours = clinic.hours.clone();
    let mornings = hours.weekly.iter().map(|interval| subjects::vendor::WeeklyInterval {
        closes: subjects::vendor::WallTime::new(12, 0).unwrap(),
        ..*interval
    });
    hours.weekly = mornings.collect();
    let (clinic_id, vendor_id) = (clinic.clinic_id, clinic.vendor_id);
    world.tell(&HoursUpdated(HoursState { clinic_id, vendor_id, hours, removed: false, version: 2 })).await;
    world.until("select version from booking.service_availability", 2).await;
    assert_eq!(book(13).await, Err(BookingError::VendorUnavailable));
    assert!(book(11).await.is_ok());

    let away = StaffState { active: false, version: 2, ..clinic.staff[0].clone() };
    world.tell(&StaffUpdated(away)).await;
    world.until("select version from booking.staff", 2).await;
    assert_eq!(book(9).await, Err(BookingError::VendorUnavailable));
    let back = StaffState { version: 3, ..clinic.staff[0].clone() };
    world.tell(&StaffUpdated(back)).await;
    world.until("select version from booking.staff", 3).await;

    let suspended = VendorState { status: VendorStatus::Suspended, ..approved(vendor_id, 2) };
    world.tell(&VendorSuspended(suspended)).await;
    world.until("select version from booking.vendors", 2).await;
    assert_eq!(book(9).await, Err(BookingError::VendorUnavailable));
    world.tell(&VendorUpdated(approved(vendor_id, 3))).await;
    world.until("select version from booking.vendors", 3).await;
    assert!(book(9).await.is_ok());
}

/// As rows are that were stored before anything was told of policies, steps and dates of one's own.
#[tokio::test]
async fn what_older_events_did_not_tell_is_as_the_contract_says() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    world.execute("update booking.clinics set name = default, policy = default").await;
    world.execute("update booking.staff set exceptions = default").await;
    let services = "slot_step_minutes = default, minimum_notice_minutes = default, booking_window_days = default";
    world.execute(&format!("update booking.services set {services}")).await;
    let made = Person::customer(&world).book(clinic.service(0), None, local(2, 10, 15)).await.unwrap();
    assert_eq!(made.policy, BookingPolicy::default());
}
