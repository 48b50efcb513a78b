//! A booking is what its history comes to.

use crate::asking::{Person, creating, creating_from};
use crate::clinic::{Clinic, local};
use crate::vendor_seat;
use crate::world::World;
use booking::history::rebuild;
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex};
use subjects::Role;
use subjects::booking::{
    Booking, BookingError, CancelBooking, CompleteBooking, ConfirmBooking, CreateBooking, MarkNoShow, UpdateBooking,
    WalkIn,
};

/// Numbers that are the same each time (xorshift64*, Vigna 2016).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = u32::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32).unwrap();
        high % bound
    }
}

struct Town {
    clinic: Clinic,
    seat: Arc<Mutex<Clinic>>,
    customer: Person,
    staff: Person,
    admin: Person,
    dice: Dice,
}

impl Town {
    fn whoever(&mut self) -> &Person {
        match self.dice.below(5) {
            0..3 => &self.customer,
            3 => &self.staff,
            _ => &self.admin,
        }
    }

    fn some_time(&mut self) -> subjects::time::Instant {
        local(2 + u64::from(self.dice.below(20)), 9 + self.dice.below(7), self.dice.below(4) * 15)
    }

    async fn make(&mut self) -> Result<Booking, BookingError> {
        self.seat.lock().unwrap().policy.cancel_fee_percent = u8::try_from(self.dice.below(101)).unwrap();
        let starts_at = self.some_time();
        let notes = (self.dice.below(2) == 0).then(|| "shy, \"bites\" \\ é".to_owned());
        let request = CreateBooking { notes, ..creating(self.clinic.service(0), None, starts_at) };
        match self.dice.below(4) {
            0 => {
                let hold = self.customer.hold(request.service_id, None, starts_at).await?;
                self.customer.ask(&CreateBooking { notes: request.notes, ..creating_from(&hold) }).await
            }
            1 => {
                let walk_in = Some(WalkIn {
                    name: testmesh::personal::text("Sulastri"),
                    phone: Some(testmesh::personal::PHONE.into()),
                });
                self.staff.ask(&CreateBooking { walk_in, ..request }).await
            }
            _ => self.customer.ask(&request).await,
        }
    }

    /// Something or other that may well be refused.
    async fn change(&mut self, booking: &Booking) -> Result<Booking, BookingError> {
        let (id, version) = (booking.id, booking.version);
        let deed = self.dice.below(10);
        let starts_at = if deed < 4 { self.some_time() } else { booking.starts_at };
        let notes = (self.dice.below(2) == 0).then(|| format!("note {version}"));
        let reason = (self.dice.below(2) == 0).then(|| "moved away".to_owned());
        let who = self.whoever();
        match deed {
            0..6 => who.ask_if(&UpdateBooking { id, starts_at, staff_id: None, notes }, version).await,
            6 => who.ask(&CancelBooking { id, reason }).await,
            _ => self.staff.ask(&ConfirmBooking { id }).await,
        }
    }
}

/// A row without what its history leaves out.
fn remembered(mut row: Map<String, Value>) -> Map<String, Value> {
    row.remove("session_id").unwrap();
    row.remove("schedule_changed").unwrap();
    row
}

/// Every booking's row with the deltas of its history, which must come to it but for the fields that the test itself
/// has changed behind the service's back.
async fn check_histories(world: &World, tampered: &[&str]) -> usize {
    let rows = world
        .json(
            "select jsonb_agg(jsonb_build_object('row', to_jsonb(booking), 'deltas', (
                select jsonb_agg(delta order by version) from booking.booking_changes where booking_id = booking.id)))
            from booking.bookings as booking",
        )
        .await;
    let rows = rows.as_array().unwrap();
    for found in rows {
        let mut row = remembered(found["row"].as_object().unwrap().clone());
        let deltas = found["deltas"].as_array().unwrap();
        let mut folded = Map::new();
        for delta in deltas {
            folded.extend(delta.as_object().unwrap().clone());
        }
        for field in tampered {
            folded.insert((*field).to_owned(), row[*field].clone());
        }
        assert_eq!(folded, row);
        let rebuilt = rebuild(deltas.iter().cloned().chain([Value::Object(folded)])).unwrap();
        let read = rebuild([Value::Object(std::mem::take(&mut row))]).unwrap();
        assert!(rebuilt.is_some() && rebuilt == read);
        // The first entry has all fields, the later ones what has changed, and always that much.
        assert_eq!(deltas[0].as_object().unwrap().len(), remembered(found["row"].as_object().unwrap().clone()).len());
        for later in deltas.iter().skip(1) {
            let fields = later.as_object().unwrap();
            assert!(fields.contains_key("version") && fields.contains_key("updated_at"));
            assert!(!fields.contains_key("id") && !fields.contains_key("pet_name"));
        }
    }
    rows.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_bookings_come_out_of_their_histories() {
    let world = World::start_with(50, 20).await;
    let _booking = world.run_booking().await;
    let mut clinic = Clinic::new(&[30], 3);
    clinic.policy.cancel_notice_minutes = 43_200;
    clinic.policy.reschedule_notice_minutes = 43_200;
    clinic.policy.reschedule_fee_percent = 7;
    clinic.tell(&world).await;
    let seat = Arc::new(Mutex::new(clinic.clone()));
    let _vendor = vendor_seat::sit_down(&world, seat.clone()).await;
    let (customer, staff) = (Person::customer(&world), Person::customer(&world));
    clinic.employ(&world, staff.id).await;
    let admin = Person::new(&world, &[Role::PlatformAdmin]);
    let mut town = Town { clinic, seat, customer, staff, admin, dice: Dice(20_270_301) };

    let mut bookings: Vec<Booking> = Vec::new();
    while bookings.len() < 200 {
        match town.make().await {
            Ok(made) => bookings.push(made),
            Err(error) => assert_eq!(error, BookingError::SlotTaken),
        }
    }
    let mut changed = 0;
    for _ in 0..600 {
        let place = usize::try_from(town.dice.below(200)).unwrap();
        if let Ok(after) = town.change(&bookings[place]).await {
            changed += i32::from(after.version > bookings[place].version);
            bookings[place] = after;
        }
    }
    assert!(changed > 200, "only {changed} changes");
    assert_eq!(check_histories(&world, &[]).await, 200);

    // Some of what waits expires, and some of what was confirmed is over: moved there by the test, not by the service.
    world.execute("update booking.bookings set expires_at = now() where status = 'pending'").await;
    world.until("select count(*) from booking.bookings where status = 'pending'", 0).await;
    world.execute("update booking.bookings set starts_at = now() - interval '1 hour', ends_at = now()").await;
    for (place, booking) in bookings.iter().enumerate() {
        let done = if place % 2 == 0 {
            town.staff.ask(&CompleteBooking { id: booking.id }).await
        } else {
            town.staff.ask(&MarkNoShow { id: booking.id }).await
        };
        if let Err(error) = done {
            assert_eq!(error, BookingError::WrongStatus);
        }
    }
    for kind in ["created", "rescheduled", "notes_changed", "confirmed", "cancelled", "expired", "completed", "no_show"]
    {
        let found = format!("select count(*) from booking.booking_changes where kind = '{kind}'");
        assert!(world.number(&found).await > 0, "{kind}");
    }
    assert_eq!(check_histories(&world, &["expires_at", "starts_at", "ends_at"]).await, 200);
}
