//! `availability.findAll`.

use crate::asking::Person;
use crate::clinic::{Clinic, approved, local};
use crate::vendor_seat;
use crate::world::World;
use std::sync::{Arc, Mutex};
use subjects::booking::{Availability, BookingError, FindAvailability, Slot};
use subjects::ids::{ClinicId, StaffId, VendorId};
use subjects::time::TimeZone;
use subjects::vendor::{
    HoursState, HoursUpdated, ServiceState, ServiceUpdated, VendorState, VendorStatus, VendorSuspended, WallTime,
    Weekday, WorkingInterval,
};

fn asking(clinic: &Clinic, days: u64) -> FindAvailability {
    let from = clinic.hours.local_date(local(2, 12, 0));
    FindAvailability {
        service_id: Some(clinic.service(0)),
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
    let shown = &free.services[0];
    assert_eq!((shown.service_id, shown.duration_minutes), (clinic.service(0), 120));
    assert!(free.items.iter().all(|slot| slot.service_id == clinic.service(0)));
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

    let of_the_clinic = FindAvailability { service_id: None, clinic_id: Some(clinic.clinic_id), ..asking(&clinic, 1) };
    assert_eq!(customer.ask(&of_the_clinic).await, Err(BookingError::ClinicNotFound));
    let of_the_staff = FindAvailability { service_id: None, staff_id: Some(clinic.staff(0)), ..asking(&clinic, 1) };
    assert_eq!(customer.ask(&of_the_staff).await, Err(BookingError::StaffNotFound));

    let nobody = FindAvailability { service_id: None, staff_id: Some(StaffId::new()), ..asking(&clinic, 1) };
    assert_eq!(customer.ask(&nobody).await, Err(BookingError::StaffNotFound));
    let nowhere = FindAvailability { service_id: None, clinic_id: Some(ClinicId::new()), ..asking(&clinic, 1) };
    assert_eq!(customer.ask(&nowhere).await, Err(BookingError::ClinicNotFound));
}

#[tokio::test]
async fn a_service_that_has_not_been_heard_of_is_asked_of_the_vendor_service() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 2);
    let seat = Arc::new(Mutex::new(clinic.clone()));
    let vendor = vendor_seat::sit_down(&world, seat.clone()).await;
    let customer = Person::customer(&world);
    // As many days as can be asked for, and those around them: more than the vendor service answers at a time.
    let from_vendor = customer.ask(&FindAvailability { limit: Some(500), ..asking(&clinic, 31) }).await.unwrap();
    assert_eq!(from_vendor.items.len(), 500);
    let last = all_pages(&customer, &asking(&clinic, 31), 300).await;
    assert_eq!(last.len(), 31 * 31);
    seat.lock().unwrap().services[0].active = false;
    assert_eq!(customer.ask(&asking(&clinic, 1)).await, Err(BookingError::ServiceNotFound));

    vendor.drain().await.unwrap();
    clinic.tell(&world).await;
    assert_eq!(all_pages(&customer, &asking(&clinic, 31), 400).await, last);
}

async fn all_pages(customer: &Person, question: &FindAvailability, limit: u16) -> Vec<Slot> {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let page = customer.ask(&FindAvailability { limit: Some(limit), cursor, ..question.clone() }).await.unwrap();
        items.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return items;
        }
    }
}

#[tokio::test]
async fn each_slot_can_be_booked_and_pages_join() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[45], 3);
    clinic.tell(&world).await;
    let customer = Person::customer(&world);
    customer.book(clinic.service(0), None, local(2, 11, 0)).await.unwrap();
    let whole = customer.ask(&asking(&clinic, 5)).await.unwrap();
    assert_eq!(whole.items.len(), 5 * 30);
    assert_eq!(all_pages(&customer, &asking(&clinic, 5), 40).await, whole.items);
    let last = whole.items.last().unwrap();
    customer.book(clinic.service(0), Some(last.staff_ids[0]), last.starts_at).await.unwrap();
}

#[tokio::test]
async fn a_clinic_and_a_staff_member_have_slots_of_all_their_services() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let mut clinic = Clinic::new(&[60, 120], 2);
    clinic.services[0].slot_step_minutes = 60;
    clinic.services[1].slot_step_minutes = 120;
    clinic.staff[1].service_ids.truncate(1);
    // The first staff member works at another clinic of the vendor in the mornings, an hour east of this one.
    let mut other = Clinic::new(&[60], 0);
    other.vendor_id = clinic.vendor_id;
    other.hours.time_zone = TimeZone::parse("Asia/Makassar").unwrap();
    other.services[0].vendor_id = clinic.vendor_id;
    other.services[0].slot_step_minutes = 60;
    let own = |opens, closes, clinic_id| {
        let wall = |hour| WallTime::new(hour, 0).unwrap();
        let (opens, closes, clinic_id) = (wall(opens), wall(closes), Some(clinic_id));
        Weekday::ALL.map(|day| WorkingInterval { day, opens, closes, clinic_id })
    };
    let week = [own(9, 11, other.clinic_id), own(13, 17, clinic.clinic_id)].concat();
    clinic.staff[0].clinic_ids.push(other.clinic_id);
    clinic.staff[0].service_ids.push(other.service(0));
    clinic.staff[0].hours = Some(week);
    clinic.tell(&world).await;
    world.tell(&other.state(1)).await;
    let hours = other.hours.clone();
    let state =
        HoursState { clinic_id: other.clinic_id, vendor_id: other.vendor_id, hours, removed: false, version: 1 };
    world.tell(&HoursUpdated(state)).await;
    world.tell(&ServiceUpdated(other.services[0].clone())).await;
    world.until("select count(*) from booking.services", 3).await;
    world.until("select count(*) from booking.clinics", 2).await;
    world.until("select count(*) from booking.service_availability", 2).await;
    let customer = Person::customer(&world);
    customer.book(clinic.service(0), Some(clinic.staff(0)), local(2, 14, 0)).await.unwrap();

    let of_staff = FindAvailability { service_id: None, staff_id: Some(clinic.staff(0)), ..asking(&clinic, 1) };
    let free = customer.ask(&of_staff).await.unwrap();
    let name = |slot: &Slot| {
        let place = [clinic.service(0), clinic.service(1), other.service(0)];
        let place = place.iter().position(|service| *service == slot.service_id).unwrap();
        format!("{place} {}", slot.local_starts_at.format("%H:%M%:z"))
    };
    let shown: Vec<String> = free.items.iter().map(name).collect();
    // The booking at two takes the long visit from one to three, too.
    let expected =
        ["2 09:00+08:00", "2 10:00+08:00", "0 13:00+07:00", "0 15:00+07:00", "1 15:00+07:00", "0 16:00+07:00"];
    assert_eq!(shown, expected);
    assert_eq!(free.services.len(), 3);
    assert_eq!(all_pages(&customer, &of_staff, 1).await, free.items);

    let of_clinic = FindAvailability { service_id: None, clinic_id: Some(clinic.clinic_id), ..asking(&clinic, 1) };
    let free = customer.ask(&of_clinic).await.unwrap();
    let long = free.items.iter().filter(|slot| slot.service_id == clinic.service(1)).count();
    let short = free.items.iter().filter(|slot| slot.service_id == clinic.service(0));
    let with_both = short.clone().filter(|slot| slot.staff_ids == [clinic.staff(0), clinic.staff(1)]).count();
    assert_eq!((long, short.count(), with_both), (1, 8, 3));
    assert_eq!(
        free.services.iter().map(|one| one.service_id).collect::<Vec<_>>(),
        [clinic.service(0), clinic.service(1)]
    );
    let of_both = FindAvailability { staff_id: Some(clinic.staff(1)), ..of_clinic.clone() };
    assert!(customer.ask(&of_both).await.unwrap().items.iter().all(|slot| slot.staff_ids == [clinic.staff(1)]));
    let elsewhere = FindAvailability { vendor_id: Some(VendorId::new()), ..of_clinic };
    assert_eq!(customer.ask(&elsewhere).await, Err(BookingError::ClinicNotFound));
}

#[tokio::test]
async fn holds_and_group_sessions_count_while_they_last() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let mut clinic = Clinic::new(&[240], 1);
    clinic.services[0].slot_step_minutes = 240;
    clinic.services[0].capacity = 2;
    clinic.tell(&world).await;
    let customer = Person::customer(&world);
    let starts = async || -> Vec<String> { local_times(&customer.ask(&asking(&clinic, 1)).await.unwrap()) };
    let expire = async |table: &str| world.execute(&format!("update booking.{table} set expires_at = now()")).await;
    let both = ["09:00+07:00", "13:00+07:00"];
    assert_eq!(starts().await, both);
    // One place of two is left, then none, then one again.
    customer.hold(clinic.service(0), None, local(2, 9, 0)).await.unwrap();
    assert_eq!(starts().await, both);
    customer.book(clinic.service(0), None, local(2, 9, 0)).await.unwrap();
    assert_eq!(starts().await, both[1..]);
    expire("holds").await;
    assert_eq!(starts().await, both);
    // An unconfirmed booking whose time is over leaves the whole of it free, at other starts as well.
    expire("bookings").await;
    let other_step = ServiceState { slot_step_minutes: 60, version: 2, ..clinic.services[0].clone() };
    world.tell(&ServiceUpdated(other_step)).await;
    world.until("select version from booking.services", 2).await;
    assert_eq!(starts().await, ["09:00+07:00", "10:00+07:00", "11:00+07:00", "12:00+07:00", "13:00+07:00"]);
}

#[tokio::test]
async fn what_is_too_soon_or_too_far_ahead_is_not_shown() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let mut clinic = Clinic::new(&[30, 30], 1);
    clinic.services[0].minimum_notice_minutes = 10 * 1440;
    clinic.services[1].booking_window_days = 1;
    clinic.tell(&world).await;
    let customer = Person::customer(&world);
    let with_notice = all_pages(&customer, &asking(&clinic, 31), 500).await;
    let first = with_notice.first().unwrap().starts_at;
    let notice = first - chrono::Utc::now();
    assert!(notice > chrono::Duration::days(9) && notice < chrono::Duration::days(11), "{notice}");
    customer.book(clinic.service(0), None, first).await.unwrap();
    let too_far = FindAvailability { service_id: Some(clinic.service(1)), ..asking(&clinic, 31) };
    assert_eq!(customer.ask(&too_far).await.unwrap().items, []);
}
