//! Everything at once on the time of a few.

use crate::asking::{Person, creating, creating_from};
use crate::clinic::{Clinic, local};
use crate::races::check_tables;
use crate::vendor_seat;
use crate::world::World;
use std::sync::{Arc, Mutex};
use subjects::booking::{
    Booking, BookingError, CancelBooking, ConfirmBooking, CreateBooking, ReleaseHold, UpdateBooking,
};
use subjects::time::Instant;

const PEOPLE: u32 = 16;
const DEEDS: u32 = 20;

/// One person's day at a clinic whose time everybody wants. What is refused is refused for a reason of the domain.
struct Visitor {
    number: u32,
    customer: Person,
    staff: Person,
    clinic: Clinic,
    bookings: Vec<Booking>,
}

impl Visitor {
    /// One of eight times, and one of three services of which two share sessions.
    fn wish(&self, deed: u32) -> CreateBooking {
        let spread = self.number * 7 + deed * 5;
        let starts_at: Instant = local(2, 10 + spread % 2, spread / 2 % 4 * 15);
        creating(self.clinic.service(usize::try_from(spread % 3).unwrap()), None, starts_at)
    }

    async fn act(&mut self, deed: u32) -> Result<(), BookingError> {
        let wish = self.wish(deed);
        let own = self.bookings.last().cloned();
        match ((self.number + deed) % 8, own) {
            (0 | 1, _) | (_, None) => self.bookings.push(self.customer.ask(&wish).await?),
            (2, _) => {
                let hold = self.customer.hold(wish.service_id, None, wish.starts_at).await?;
                self.bookings.push(self.customer.ask(&creating_from(&hold)).await?);
            }
            (3, _) => {
                let hold = self.customer.hold(wish.service_id, None, wish.starts_at).await?;
                self.customer.ask(&ReleaseHold { id: hold.id }).await?;
            }
            (4 | 5, Some(own)) => {
                let moving = UpdateBooking { id: own.id, starts_at: wish.starts_at, staff_id: None, notes: None };
                self.bookings.push(self.customer.ask_if(&moving, own.version).await?);
            }
            (6, Some(own)) => {
                self.bookings.push(self.staff.ask(&ConfirmBooking { id: own.id }).await?);
            }
            (_, Some(own)) => {
                self.customer.ask(&CancelBooking { id: own.id, reason: None }).await?;
                self.bookings.pop();
            }
        }
        Ok(())
    }
}

fn is_of_the_domain(error: &BookingError) -> bool {
    use BookingError::{AwaitingCheck, BookingExpired, HoldNotFound, SlotTaken, TooManyHolds, WrongStatus};
    matches!(error, AwaitingCheck | BookingExpired | HoldNotFound | SlotTaken | TooManyHolds | WrongStatus)
        || matches!(error, BookingError::Fault(fault) if fault.code == subjects::ErrorCode::PreconditionFailed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_at_once_the_tables_agree() {
    let world = World::start_with(20, 10).await;
    let _instances = [world.run_booking().await, world.run_booking().await];
    let mut clinic = Clinic::new(&[30, 30, 45], 2);
    clinic.services[0].capacity = 3;
    clinic.services[1].capacity = 2;
    clinic.services[2].buffer_after_minutes = 10;
    clinic.tell(&world).await;
    let _vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
    let staff = Person::customer(&world);
    clinic.employ(&world, staff.id).await;

    let visitors: Vec<_> = (0..PEOPLE)
        .map(|number| {
            let (customer, staff, clinic) = (Person::customer(&world), staff.clone(), clinic.clone());
            let mut visitor = Visitor { number, customer, staff, clinic, bookings: Vec::new() };
            tokio::spawn(async move {
                let mut done = 0;
                for deed in 0..DEEDS {
                    match visitor.act(deed).await {
                        Ok(()) => done += 1,
                        Err(error) => assert!(is_of_the_domain(&error), "{error:?}"),
                    }
                }
                done
            })
        })
        .collect();
    // Meanwhile time runs out for some, again and again.
    let mut done = 0;
    for (round, visitor) in visitors.into_iter().enumerate() {
        let place = round % 16;
        let of_some = format!("right(id::text, 1) = to_hex({place})");
        world
            .execute(&format!("update booking.bookings set expires_at = now() where status = 'pending' and {of_some}"))
            .await;
        world.execute(&format!("update booking.holds set expires_at = now() where {of_some}")).await;
        done += visitor.await.unwrap();
    }
    assert!(done > 0);
    world.execute("update booking.holds set expires_at = now()").await;
    world.until("select count(*) from booking.holds", 0).await;
    world.until("select count(*) from booking.bookings where status = 'pending' and expires_at <= now()", 0).await;
    check_tables(&world).await;
    let too_full = "select count(*) from booking.sessions where taken > capacity or taken < 1";
    assert_eq!(world.number(too_full).await, 0);
    let changes_that_nobody_told = "
        select count(*) from booking.booking_changes as change where not exists (
            select from booking.outbox where aggregate_id = change.booking_id and version = change.version)";
    assert_eq!(world.number(changes_that_nobody_told).await, 0);
}
