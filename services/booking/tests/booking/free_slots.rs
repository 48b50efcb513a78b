//! `availability.findAll`.

use crate::asking::Person;
use crate::clinic::{Clinic, approved, local};
use crate::vendor_seat;
use crate::world::World;
use std::sync::{Arc, Mutex};
use subjects::booking::{Availability, BookingError, FindAvailability};
use subjects::ids::VendorId;
use subjects::vendor::{VendorState, VendorStatus, VendorSuspended};

fn asking(clinic: &Clinic, days: u64) -> FindAvailability {
    let from = clinic.hours.local_date(local(2, 12, 0));
    FindAvailability {
        service_id: clinic.service(0),
        clinic_id: None,
        vendor_id: None,
        staff_id: None,
        from,
        to: Some(from + chrono::Days::new(days - 1)),
        limit: None,
        cursor: None,
    }
}

fn local_times(availability: &Availability) -> Vec<String> {
    availability.items.iter().map(|slot| slot.local_starts_at.format("%H:%M%:z").to_string()).collect()
}

#[tokio::test]
async fn slots_are_the_working_hours_less_what_is_booked() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[120], 2);
    clinic.tell(&world).await;
    let customer = Person::customer(&world);
    for place in [0, 1] {
        customer.book(clinic.service(0), Some(clinic.staff(place)), local(2, 11, 0)).await.unwrap();
    }
    customer.book(clinic.service(0), Some(clinic.staff(0)), local(2, 15, 0)).await.unwrap();

    let free = customer.ask(&asking(&clinic, 1)).await.unwrap();
    let mut expected = vec!["09:00+07:00"];
    expected.extend(["13:00+07:00", "13:15+07:00", "13:30+07:00", "13:45+07:00"]);
    expected.extend(["14:00+07:00", "14:15+07:00", "14:30+07:00", "14:45+07:00", "15:00+07:00"]);
    assert_eq!(local_times(&free), expected);
    assert_eq!(free.items[0].staff_ids, [clinic.staff(0), clinic.staff(1)]);
    // After one o'clock the first staff member's next visit is too near.
    assert_eq!(free.items[1].staff_ids, [clinic.staff(0), clinic.staff(1)]);
    assert_eq!(free.items[2].staff_ids, [clinic.staff(1)]);
    assert!(free.provisional);
    assert_eq!((free.items[0].starts_at, free.items[0].ends_at), (local(2, 9, 0), local(2, 11, 0)));

    let with_one = FindAvailability { staff_id: Some(clinic.staff(0)), ..asking(&clinic, 1) };
    assert_eq!(local_times(&customer.ask(&with_one).await.unwrap()), ["09:00+07:00", "13:00+07:00"]);
    let elsewhere = FindAvailability { vendor_id: Some(VendorId::new()), ..asking(&clinic, 1) };
    assert_eq!(customer.ask(&elsewhere).await, Err(BookingError::ServiceNotFound));
    let too_long = FindAvailability { to: Some(chrono::NaiveDate::MAX), ..asking(&clinic, 1) };
    assert!(customer.ask(&too_long).await.is_err());
}

#[tokio::test]
async fn what_takes_no_bookings_is_not_found() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    let customer = Person::customer(&world);
    assert!(customer.ask(&asking(&clinic, 1)).await.is_ok());

    // As the read models say, of a vendor who was suspended.
    let suspended = VendorState { status: VendorStatus::Suspended, ..approved(clinic.vendor_id, 2) };
    world.tell(&VendorSuspended(suspended)).await;
    world.until("select version from booking.vendors", 2).await;
    assert_eq!(customer.ask(&asking(&clinic, 1)).await, Err(BookingError::ServiceNotFound));

    // As the vendor service says.
    let mut hidden = clinic.clone();
    hidden.services[0].active = false;
    let seat = Arc::new(Mutex::new(hidden));
    let _vendor = vendor_seat::sit_down(&world, seat.clone()).await;
    assert_eq!(customer.ask(&asking(&clinic, 1)).await, Err(BookingError::ServiceNotFound));
    seat.lock().unwrap().services[0].active = true;
    assert!(!customer.ask(&asking(&clinic, 1)).await.unwrap().provisional);
}

#[tokio::test]
async fn vendor_and_the_read_models_lead_to_the_same_slots() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[45], 3);
    clinic.tell(&world).await;
    let customer = Person::customer(&world);
    customer.book(clinic.service(0), None, local(2, 11, 0)).await.unwrap();

    let without_vendor = customer.ask(&asking(&clinic, 5)).await.unwrap();
    let _vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
    let with_vendor = customer.ask(&asking(&clinic, 5)).await.unwrap();
    assert!(!with_vendor.provisional);
    assert_eq!(without_vendor.items, with_vendor.items);
    assert_eq!(with_vendor.items.len(), 5 * 30);

    // Page by page the same, too.
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let page = customer.ask(&FindAvailability { limit: Some(40), cursor, ..asking(&clinic, 5) }).await.unwrap();
        items.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(items, with_vendor.items);
    // And each of them can be booked.
    let last = items.last().unwrap();
    customer.book(clinic.service(0), Some(last.staff_ids[0]), last.starts_at).await.unwrap();
}
