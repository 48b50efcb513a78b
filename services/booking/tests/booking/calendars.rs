//! Calendars at secret addresses: whose bookings they show, to whom, and for how long.

use crate::asking::{Person, code, creating};
use crate::clinic::{Clinic, local};
use crate::vendor_seat;
use crate::world::World;
use sea_orm::{ConnectionTrait, TransactionTrait};
use std::sync::{Arc, Mutex};
use subjects::ErrorCode;
use subjects::booking::{
    BookingError, CancelBooking, ConfirmBooking, CreateCalendar, FindCalendars, NewCalendar, ReadCalendar,
    RemoveCalendar,
};
use subjects::ids::{CalendarId, ClinicId, StaffId};
use subjects::vendor::MembershipRevoked;
use testmesh::personal;

fn reading(calendar: &NewCalendar) -> ReadCalendar {
    let token = calendar.path.strip_prefix("/calendars/").and_then(|rest| rest.strip_suffix(".ics"));
    ReadCalendar { token: token.unwrap().to_owned() }
}

/// What a calendar says now. Whoever asks is nobody in particular.
async fn text(world: &World, calendar: &NewCalendar) -> Result<String, BookingError> {
    Ok(Person::new(world, &[]).ask(&reading(calendar)).await?.text)
}

fn events(text: &str) -> usize {
    text.matches("BEGIN:VEVENT\r\n").count()
}

fn of_clinic(clinic_id: ClinicId, staff_id: Option<StaffId>) -> CreateCalendar {
    CreateCalendar { clinic_id: Some(clinic_id), staff_id }
}

#[tokio::test]
async fn a_calendar_follows_its_owners_bookings() {
    let world = World::start().await;
    let clinic = Clinic::new(&[30], 2);
    let _vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
    let _booking = world.run_booking().await;
    clinic.tell(&world).await;
    let (owner, other) = (Person::customer(&world), Person::customer(&world));
    let calendar = owner.ask(&CreateCalendar::default()).await.unwrap();
    let empty = text(&world, &calendar).await.unwrap();
    assert!(empty.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n") && empty.ends_with("\r\nEND:VCALENDAR\r\n"));
    assert_eq!(events(&empty), 0);

    let mut request = creating(clinic.service(0), None, local(3, 10, 0));
    request.notes = Some("the back door code is 4711".into());
    let booked = owner.ask(&request).await.unwrap();
    other.book(clinic.service(0), None, local(3, 10, 0)).await.unwrap();
    let pending = text(&world, &calendar).await.unwrap();
    assert_eq!(events(&pending), 1, "only the owner's");
    let day = (local(3, 10, 0) + chrono::Duration::hours(7)).format("%Y%m%d");
    for line in [
        format!("UID:{}@petpro", booked.id),
        format!("DTSTART;TZID=Asia/Jakarta:{day}T100000"),
        format!("DTEND;TZID=Asia/Jakarta:{day}T103000"),
        format!("DESCRIPTION:{}", booked.reference),
        format!("SUMMARY:Visit of 30 minutes: {}", personal::text("Milo")),
        "LOCATION:Klinik Satwa".to_owned(),
        "STATUS:TENTATIVE".to_owned(),
        "SEQUENCE:0".to_owned(),
        "TZID:Asia/Jakarta".to_owned(),
    ] {
        assert!(pending.contains(&format!("\r\n{line}\r\n")), "{line} in {pending}");
    }
    assert!(!pending.contains("back door"), "notes are nobody's business");
    assert_eq!(text(&world, &calendar).await.unwrap(), pending, "what has not changed reads the same");

    let employee = Person::customer(&world);
    clinic.employ(&world, employee.id).await;
    employee.ask(&ConfirmBooking { id: booked.id }).await.unwrap();
    let confirmed = text(&world, &calendar).await.unwrap();
    assert!(confirmed.contains("STATUS:CONFIRMED\r\n") && confirmed.contains("\r\nSEQUENCE:1\r\n"));
    owner.ask(&CancelBooking { id: booked.id, reason: Some("private".into()) }).await.unwrap();
    let cancelled = text(&world, &calendar).await.unwrap();
    assert!(cancelled.contains("STATUS:CANCELLED\r\n") && cancelled.contains("\r\nSEQUENCE:2\r\n"));
    assert!(!cancelled.contains("private"));

    let age = |sql: &str| format!("update booking.bookings set {sql} where id = '{}'", booked.id);
    world.execute(&age("updated_at = now() - interval '29 days'")).await;
    assert_eq!(events(&text(&world, &calendar).await.unwrap()), 1);
    world.execute(&age("updated_at = now() - interval '31 days'")).await;
    assert_eq!(events(&text(&world, &calendar).await.unwrap()), 0, "cancelled more than 30 days ago");
}

#[tokio::test]
async fn visits_of_more_than_30_days_ago_are_left_out() {
    let world = World::start().await;
    let clinic = Clinic::new(&[30], 1);
    let _vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
    let _booking = world.run_booking().await;
    clinic.tell(&world).await;
    let owner = Person::customer(&world);
    let booked = owner.book(clinic.service(0), None, local(3, 10, 0)).await.unwrap();
    let calendar = owner.ask(&CreateCalendar::default()).await.unwrap();
    for (days, expected) in [(29, 1), (31, 0)] {
        let moved = format!(
            "update booking.bookings set starts_at = now() - interval '{days} days',
                 ends_at = now() - interval '{days} days' + interval '30 minutes',
                 status = 'completed', expires_at = null where id = '{}'",
            booked.id
        );
        world.execute(&moved).await;
        assert_eq!(events(&text(&world, &calendar).await.unwrap()), expected, "{days}");
    }
}

#[tokio::test]
async fn a_clinics_calendar_is_for_its_members_while_they_are() {
    let world = World::start().await;
    let clinic = Clinic::new(&[30], 2);
    let _vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
    let _booking = world.run_booking().await;
    clinic.tell(&world).await;
    let (customer, employee) = (Person::customer(&world), Person::new(&world, &[]));
    for place in [0, 1] {
        customer.book(clinic.service(0), Some(clinic.staff(place)), local(3, 10, 0)).await.unwrap();
    }

    let refused = employee.ask(&of_clinic(clinic.clinic_id, None)).await.unwrap_err();
    assert_eq!(code(refused), ErrorCode::Forbidden);
    let unknown = employee.ask(&of_clinic(ClinicId::new(), None)).await.unwrap_err();
    assert!(matches!(unknown, BookingError::ClinicNotFound));
    let mut membership = clinic.employ(&world, employee.id).await;
    let stranger = employee.ask(&of_clinic(clinic.clinic_id, Some(StaffId::new()))).await.unwrap_err();
    assert!(matches!(stranger, BookingError::StaffNotFound));

    let whole = employee.ask(&of_clinic(clinic.clinic_id, None)).await.unwrap();
    let single = employee.ask(&of_clinic(clinic.clinic_id, Some(clinic.staff(1)))).await.unwrap();
    let own = employee.ask(&CreateCalendar::default()).await.unwrap();
    assert_eq!(events(&text(&world, &whole).await.unwrap()), 2);
    assert_eq!(events(&text(&world, &single).await.unwrap()), 1);
    assert_eq!(events(&text(&world, &own).await.unwrap()), 0);

    membership.version += 1;
    world.tell(&MembershipRevoked(membership)).await;
    let active = format!("select count(*) from booking.memberships where active and user_id = '{}'", employee.id);
    world.until(&active, 0).await;
    for calendar in [&whole, &single] {
        assert!(matches!(text(&world, calendar).await.unwrap_err(), BookingError::CalendarNotFound));
    }
    assert!(text(&world, &own).await.is_ok(), "one's own bookings stay one's own");
}

#[tokio::test]
async fn an_address_is_a_secret_that_is_told_once_and_can_be_taken_back() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let (owner, other) = (Person::customer(&world), Person::customer(&world));
    let first = owner.ask(&CreateCalendar::default()).await.unwrap();
    let second = owner.ask(&CreateCalendar::default()).await.unwrap();
    assert_ne!(first.path, second.path);
    let token = reading(&first).token;
    assert!(!format!("{first:?} {:?}", reading(&first)).contains(&token));
    let stored = format!("select count(*) from booking.calendar_feeds where calendar_feeds::text like '%{token}%'");
    assert_eq!(world.number(&stored).await, 0);
    let hashed = format!("select count(*) from booking.calendar_feeds where token_hash = sha256('{token}'::bytea)");
    assert_eq!(world.number(&hashed).await, 1);

    let page = owner.ask(&FindCalendars { limit: Some(1), cursor: None }).await.unwrap();
    assert_eq!(page.items.iter().map(|item| item.id).collect::<Vec<_>>(), [second.id]);
    let rest = owner.ask(&FindCalendars { limit: Some(1), cursor: page.next_cursor }).await.unwrap();
    assert_eq!(rest.items.iter().map(|item| item.id).collect::<Vec<_>>(), [first.id]);
    assert!(rest.next_cursor.is_none());
    assert!(other.ask(&FindCalendars::default()).await.unwrap().items.is_empty());

    let refused = other.ask(&RemoveCalendar { id: first.id }).await.unwrap_err();
    assert!(matches!(refused, BookingError::CalendarNotFound));
    assert!(text(&world, &first).await.is_ok());
    // The second time its answer may have been lost.
    for _ in 0..2 {
        owner.ask(&RemoveCalendar { id: first.id }).await.unwrap();
        assert!(matches!(text(&world, &first).await.unwrap_err(), BookingError::CalendarNotFound));
    }
    owner.ask(&RemoveCalendar { id: CalendarId::new() }).await.unwrap();
    assert!(text(&world, &second).await.is_ok());

    let guessed = ReadCalendar { token: "A".repeat(43) };
    assert!(matches!(other.ask(&guessed).await.unwrap_err(), BookingError::CalendarNotFound));
    let crooked = "../../etc/passwd'--%00                     ".chars().take(43).collect::<String>();
    let fault = other.ask(&ReadCalendar { token: crooked.clone() }).await.unwrap_err();
    assert!(!format!("{fault:?}").contains(crooked.trim()), "{fault:?}");
    assert_eq!(code(fault), ErrorCode::BadRequest);
}

#[tokio::test]
async fn nobody_has_more_than_ten_however_many_are_asked_for_at_once() {
    let world = World::start().await;
    let _replicas = [world.run_booking().await, world.run_booking().await];
    let owner = Person::customer(&world);
    // All of them have begun before the first one can end.
    let held_up = world.database().begin().await.unwrap();
    held_up.execute_unprepared("lock table booking.calendar_feeds in share mode").await.unwrap();
    let asked: Vec<_> = (0..15)
        .map(|_| {
            let owner = owner.clone();
            tokio::spawn(async move { owner.ask(&CreateCalendar::default()).await })
        })
        .collect();
    let waiting = "select count(*) from pg_locks where not granted
         and database = (select oid from pg_database where datname = current_database())";
    world.until(waiting, 15).await;
    held_up.rollback().await.unwrap();

    let mut made = Vec::new();
    for answer in asked {
        match answer.await.unwrap() {
            Ok(calendar) => made.push(calendar),
            Err(refusal) => assert!(matches!(refusal, BookingError::TooManyCalendars), "{refusal:?}"),
        }
    }
    assert_eq!(made.len(), 10);
    assert!(Person::customer(&world).ask(&CreateCalendar::default()).await.is_ok(), "others are not held up by it");
    owner.ask(&RemoveCalendar { id: made[0].id }).await.unwrap();
    owner.ask(&CreateCalendar::default()).await.unwrap();
}
