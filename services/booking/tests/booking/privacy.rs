//! What people write is sealed; what is kept of a person is told, and erased.

use crate::asking::{Person, creating};
use crate::clinic::{Clinic, local};
use crate::vendor_seat;
use crate::world::World;
use platform::runtime::Running;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use subjects::ServiceError as _;
use subjects::booking::{
    BookingHistory, BookingStatus, CancelBooking, CreateBooking, CreateCalendar, FindBookings, GetBooking, PetDetails,
    Species, UpdateBooking, WalkIn,
};
use testmesh::Asker;

const PROFILE: Asker = Asker::Service("profile");
const PLANTED: [&str; 6] = ["notesunik", "reasonunik", "petunik", "breedunik", "walkinunik", "+62 899 7766 5544"];

struct Town {
    world: World,
    clinic: Clinic,
    _running: (Running, Running),
}

async fn town() -> Town {
    let world = World::start().await;
    let booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 3);
    clinic.tell(&world).await;
    let vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
    Town { world, clinic, _running: (booking, vendor) }
}

impl Town {
    fn wish(&self, days: u64) -> CreateBooking {
        let pet = PetDetails { name: "petunik".into(), species: Species::Cat, breed: Some("breedunik".into()) };
        let wish = creating(self.clinic.service(0), None, local(days, 10, 0));
        CreateBooking { pet: Some(pet), notes: Some("notesunik".into()), ..wish }
    }

    async fn ask(&self, subject: &str, person: &Person) -> Value {
        self.world.ask(subject, json!({ "userId": person.id })).by(&PROFILE).ok().await
    }

    async fn assert_nothing_planted(&self) {
        let rows = self.world.all_rows().await;
        for planted in PLANTED {
            assert!(!rows.contains(planted), "{planted} stands in the database: {rows}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_write_is_stored_sealed_and_read_as_it_was() {
    let town = town().await;
    let customer = Person::customer(&town.world);
    let staff = Person::customer(&town.world);
    town.clinic.employ(&town.world, staff.id).await;

    let made = customer.ask(&town.wish(3)).await.unwrap();
    assert_eq!((made.notes.as_deref(), made.pet.name.as_deref()), (Some("notesunik"), Some("petunik")));
    let walk_in = WalkIn { name: "walkinunik".into(), phone: Some("+62 899 7766 5544".into()) };
    let walked_in = staff.ask(&CreateBooking { walk_in: Some(walk_in.clone()), ..town.wish(4) }).await.unwrap();
    assert_eq!(walked_in.walk_in, Some(walk_in.clone()));
    town.assert_nothing_planted().await;
    assert_eq!(town.world.number("select count(*) from person_keys").await, 2);

    // Another replica, with no key in memory, reads the same.
    let update = UpdateBooking {
        id: made.id,
        starts_at: made.starts_at,
        staff_id: None,
        notes: Some("notesunik, and shy".into()),
    };
    let updated = customer.ask_if(&update, 1).await.unwrap();
    let same = customer.ask_if(&update, 2).await.unwrap();
    assert_eq!((updated.version, same.version), (2, 2), "the same text is no change");
    let cancelled = customer.ask(&CancelBooking { id: made.id, reason: Some("reasonunik".into()) }).await.unwrap();
    assert_eq!(cancelled.cancel_reason.as_deref(), Some("reasonunik"));
    let _another = town.world.run_booking().await;
    for _ in 0..6 {
        assert_eq!(customer.ask(&GetBooking { id: made.id }).await.unwrap(), cancelled);
        let listed = customer.ask(&FindBookings::default()).await.unwrap();
        assert_eq!(listed.items, std::slice::from_ref(&cancelled));
        let of_clinic = FindBookings { clinic_id: Some(town.clinic.clinic_id), ..FindBookings::default() };
        let listed = staff.ask(&of_clinic).await.unwrap();
        assert_eq!(listed.items.iter().filter_map(|booking| booking.walk_in.clone()).count(), 1);
        let history = BookingHistory { id: made.id, limit: None, cursor: None };
        let told = customer.ask(&history).await.unwrap().items;
        let notes: Vec<_> = told.iter().map(|change| change.notes.as_deref()).collect();
        assert_eq!(notes, [Some("notesunik"), Some("notesunik, and shy"), Some("notesunik, and shy")]);
        assert_eq!(told[2].reason.as_deref(), Some("reasonunik"));
    }
    town.assert_nothing_planted().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_customer_leaves_ids_and_times() {
    let town = town().await;
    let (gone, other) = (Person::customer(&town.world), Person::customer(&town.world));
    let past = gone.ask(&town.wish(3)).await.unwrap();
    gone.ask(&CancelBooking { id: past.id, reason: Some("reasonunik".into()) }).await.unwrap();
    let coming = gone.ask(&town.wish(4)).await.unwrap();
    gone.ask(&CreateCalendar::default()).await.unwrap();
    gone.hold(town.clinic.service(0), None, local(5, 10, 0)).await.unwrap();
    let kept = other.ask(&town.wish(6)).await.unwrap();
    // As it was stored before texts were sealed.
    let (id, all) = (past.id, "alter table booking.booking_changes");
    town.world.execute(&format!("{all} disable trigger booking_changes_only_grow")).await;
    let plain = format!(
        "update booking.booking_changes set notes = 'notesunik', delta = delta || '{{\"notes\": \"notesunik\"}}'
            where booking_id = '{id}' and version = 1;
         update booking.bookings set notes = 'notesunik' where id = '{id}'"
    );
    town.world.execute(&plain).await;
    town.world.execute(&format!("{all} enable trigger booking_changes_only_grow")).await;
    assert_eq!(gone.ask(&GetBooking { id }).await.unwrap().notes.as_deref(), Some("notesunik"));

    let told = town.ask("booking.exportPerson", &gone).await;
    let text = told.to_string();
    for planted in ["notesunik", "reasonunik", "petunik", "breedunik"] {
        assert!(text.contains(planted), "{planted}: {text}");
    }
    assert!(!text.contains("sealed:"), "{text}");
    let kinds: Vec<&str> = told["rows"].as_array().unwrap().iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["booking", "booking", "hold", "calendar"]);

    let mut events = town.world.listen().await;
    assert_eq!(town.ask("booking.erasePerson", &gone).await, json!({ "complete": true }));
    assert_eq!(events.next("booking.cancelled").await["bookingId"], json!(coming.id));
    town.assert_nothing_planted().await;
    for empty in ["holds", "calendar_feeds"] {
        assert_eq!(town.world.number(&format!("select count(*) from {empty}")).await, 0, "{empty}");
    }
    assert_eq!(town.world.number("select count(*) from sessions").await, 1, "only the other's time is taken");
    // Their token may hold for a minute yet: they read what is left, and write nothing any more.
    let left = gone.ask(&GetBooking { id: coming.id }).await.unwrap();
    assert_eq!((left.status, left.notes, left.pet.name), (BookingStatus::Cancelled, None, None));
    assert_eq!(left.cancel_reason.as_deref(), Some("the customer's account was erased"));
    let history = gone.ask(&BookingHistory { id, limit: None, cursor: None }).await.unwrap();
    assert!(history.items.iter().all(|change| change.notes.is_none() && change.reason.is_none()));
    let refused = gone.ask(&town.wish(7)).await.unwrap_err().into_fault();
    assert_eq!(refused.reason, "person_erased");

    // Once more, as for what has come since: nothing changes.
    let rows = town.world.own_rows().await;
    town.ask("booking.erasePerson", &gone).await;
    assert_eq!(town.world.own_rows().await, rows);
    assert_eq!(other.ask(&GetBooking { id: kept.id }).await.unwrap(), kept);
    // History forgets texts, and nothing else.
    let database = town.world.database();
    for rewriting in ["status = 'completed'", "notes = 'another'", "delta = delta || '{\"fee_amount\": 1}'"] {
        let sql = format!("update booking.booking_changes set {rewriting} where booking_id = '{}'", kept.id);
        let refused = sea_orm::ConnectionTrait::execute_unprepared(database, &sql).await.unwrap_err();
        assert!(refused.to_string().contains("only grows"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_visits_are_cancelled_part_by_part() {
    let town = town().await;
    let customer = Person::customer(&town.world);
    for day in 2..62 {
        customer.ask(&town.wish(day)).await.unwrap();
    }
    assert_eq!(town.ask("booking.erasePerson", &customer).await, json!({ "complete": false }));
    assert_eq!(town.ask("booking.erasePerson", &customer).await, json!({ "complete": true }));
    assert_eq!(town.world.number("select count(*) from bookings where status = 'cancelled'").await, 60);
    for asker in [Asker::Service("catalog"), Asker::Service("auth")] {
        let refused =
            town.world.ask("booking.erasePerson", json!({ "userId": customer.id })).by(&asker).refusal().await;
        assert_eq!(refused, "forbidden");
    }
}
