//! Bookings under which the schedule changes.

use crate::asking::{Person, creating};
use crate::clinic::{Clinic, approved, local};
use crate::vendor_seat;
use crate::world::World;
use platform::runtime::Running;
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, TransactionTrait as _};
use std::sync::{Arc, Mutex};
use subjects::booking::{
    ActorKind, Attention, Booking, BookingChange, BookingHistory, BookingStatus, ChangeKind, ConfirmBooking, GetBooking,
};
use subjects::vendor::{
    ClinicState, ClinicUpdated, HoursState, HoursUpdated, OpeningHours, ServiceRemoved, ServiceState, ServiceUpdated,
    StaffRemoved, StaffState, StaffUpdated, VendorApproved, VendorState, VendorStatus, VendorSuspended, WallTime,
    WeeklyInterval, WorkingException,
};

/// A clinic with a customer's booking at three in the afternoon, made while the vendor service answered.
struct Scene {
    world: World,
    clinic: Clinic,
    customer: Person,
    booking: Booking,
    _booking: Running,
    _vendor: Running,
}

impl Scene {
    async fn set() -> Scene {
        let world = World::start().await;
        let _booking = world.run_booking().await;
        let clinic = Clinic::new(&[30, 30], 2);
        clinic.tell(&world).await;
        let _vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
        let customer = Person::customer(&world);
        let booking = customer.book(clinic.service(0), Some(clinic.staff(0)), local(3, 15, 0)).await.unwrap();
        all_looked_at(&world).await;
        Scene { world, clinic, customer, booking, _booking, _vendor }
    }

    async fn now(&self) -> Booking {
        self.customer.ask(&GetBooking { id: self.booking.id }).await.unwrap()
    }

    async fn history(&self) -> Vec<BookingChange> {
        let question = BookingHistory { id: self.booking.id, limit: None, cursor: None };
        self.customer.ask(&question).await.unwrap().items
    }

    /// Waits until the booking is in the clinic's attention for this, and checks that this was told once.
    async fn is_noticed(&self, attention: Attention, version: i64, times: i64) {
        self.world
            .until(&format!("select version from booking.bookings where id = '{}'", self.booking.id), version)
            .await;
        all_looked_at(&self.world).await;
        let now = self.now().await;
        assert_eq!((now.attention, now.status, now.version), (Some(attention), self.booking.status, version));
        let last = self.history().await.pop().unwrap();
        assert_eq!((last.kind, last.actor, last.actor_id), (ChangeKind::NeedsAttention, ActorKind::System, None));
        assert_eq!((last.version, last.attention), (version, Some(attention)));
        assert_eq!(self.world.told("booking.needs_attention").await, times);
    }

    /// Waits until the booking fits again.
    async fn is_settled(&self, version: i64, times: i64) {
        self.world
            .until(&format!("select version from booking.bookings where id = '{}'", self.booking.id), version)
            .await;
        all_looked_at(&self.world).await;
        let now = self.now().await;
        assert_eq!((now.attention, now.status, now.version), (None, self.booking.status, version));
        let last = self.history().await.pop().unwrap();
        assert_eq!((last.kind, last.actor), (ChangeKind::Checked, ActorKind::System));
        assert_eq!(self.world.told("booking.updated").await, times);
    }

    /// Tells of a staff member, and waits until it has been heard.
    async fn tell_staff(&self, member: StaffState) {
        let (id, version) = (member.staff_id, member.version);
        self.world.tell(&StaffUpdated(member)).await;
        self.world.until(&format!("select version from booking.staff where id = '{id}'"), version).await;
    }
}

async fn all_looked_at(world: &World) {
    world.until("select count(*) from booking.bookings where schedule_changed", 0).await;
}

fn until_noon(hours: &OpeningHours) -> OpeningHours {
    let closes = WallTime::new(12, 0).unwrap();
    let mornings = hours.weekly.iter().map(|interval| WeeklyInterval { closes, ..*interval });
    OpeningHours { weekly: mornings.collect(), ..hours.clone() }
}

fn hours_of(clinic: &Clinic, hours: OpeningHours, version: i64) -> HoursUpdated {
    HoursUpdated(HoursState {
        clinic_id: clinic.clinic_id,
        vendor_id: clinic.vendor_id,
        hours,
        removed: false,
        version,
    })
}

fn clinic_state(clinic: &Clinic, active: bool, version: i64) -> ClinicUpdated {
    ClinicUpdated(ClinicState { active, ..clinic.state(version).0 })
}

#[tokio::test]
async fn hours_that_no_longer_cover_a_visit_are_noticed_and_settled_when_they_do_again() {
    let scene = Scene::set().await;
    let Scene { world, clinic, customer, .. } = &scene;
    let in_the_morning = customer.book(clinic.service(0), Some(clinic.staff(1)), local(3, 10, 0)).await.unwrap();
    world.tell(&hours_of(clinic, until_noon(&clinic.hours), 2)).await;
    scene.is_noticed(Attention::OutsideHours, 2, 1).await;
    // What fits stays as it is: whoever is about to change it notices nothing.
    let fits = customer.ask(&GetBooking { id: in_the_morning.id }).await.unwrap();
    assert_eq!((fits.attention, fits.version), (None, 1));
    assert_eq!(world.told("booking.updated").await, 0);

    world.tell(&hours_of(clinic, clinic.hours.clone(), 3)).await;
    scene.is_settled(3, 1).await;
    assert_eq!(scene.now().await.schedule_version, 1);
}

#[tokio::test]
async fn leave_and_a_week_of_ones_own_are_noticed() {
    let scene = Scene::set().await;
    let member = scene.clinic.staff[0].clone();
    let date = scene.clinic.hours.local_date(scene.booking.starts_at);
    let on_leave = WorkingException { date, intervals: Vec::new() };
    scene.tell_staff(StaffState { exceptions: vec![on_leave], version: 2, ..member.clone() }).await;
    scene.is_noticed(Attention::OutsideHours, 2, 1).await;
    // Another reason for the same finding is nothing new.
    scene.tell_staff(StaffState { hours: Some(Vec::new()), version: 3, ..member.clone() }).await;
    all_looked_at(&scene.world).await;
    assert_eq!(scene.now().await.version, 2);

    scene.tell_staff(StaffState { version: 4, ..member.clone() }).await;
    scene.is_settled(3, 1).await;
    // A change that does not touch the visit leaves nothing behind, and neither does one of somebody else.
    scene.tell_staff(StaffState { service_ids: vec![scene.clinic.service(0)], version: 5, ..member }).await;
    scene.tell_staff(StaffState { active: false, version: 2, ..scene.clinic.staff[1].clone() }).await;
    all_looked_at(&scene.world).await;
    assert_eq!(scene.now().await.version, 3);
}

#[tokio::test]
async fn a_staff_member_who_is_gone_or_does_something_else_is_noticed() {
    let scene = Scene::set().await;
    let member = scene.clinic.staff[0].clone();
    let other_service = vec![scene.clinic.service(1)];
    scene.tell_staff(StaffState { service_ids: other_service, version: 2, ..member.clone() }).await;
    scene.is_noticed(Attention::StaffRemoved, 2, 1).await;
    scene.tell_staff(StaffState { version: 3, ..member.clone() }).await;
    scene.is_settled(3, 1).await;
    scene.tell_staff(StaffState { clinic_ids: Vec::new(), version: 4, ..member.clone() }).await;
    scene.is_noticed(Attention::StaffRemoved, 4, 2).await;
    scene.tell_staff(StaffState { version: 5, ..member.clone() }).await;
    scene.is_settled(5, 2).await;
    scene.world.tell(&StaffRemoved(StaffState { active: false, version: 6, ..member })).await;
    scene.is_noticed(Attention::StaffRemoved, 6, 3).await;
}

#[tokio::test]
async fn a_service_that_is_no_longer_offered_is_noticed() {
    let scene = Scene::set().await;
    let service = scene.clinic.services[0].clone();
    let tell = async |active, version| {
        scene.world.tell(&ServiceUpdated(ServiceState { active, version, ..service.clone() })).await;
    };
    tell(false, 2).await;
    scene.is_noticed(Attention::ServiceRemoved, 2, 1).await;
    tell(true, 3).await;
    scene.is_settled(3, 1).await;
    scene.world.tell(&ServiceRemoved(ServiceState { active: false, version: 4, ..service.clone() })).await;
    scene.is_noticed(Attention::ServiceRemoved, 4, 2).await;
}

#[tokio::test]
async fn a_clinic_or_vendor_that_takes_no_bookings_is_noticed() {
    let scene = Scene::set().await;
    let Scene { world, clinic, .. } = &scene;
    world.tell(&clinic_state(clinic, false, 2)).await;
    scene.is_noticed(Attention::VendorInactive, 2, 1).await;
    world.tell(&clinic_state(clinic, true, 3)).await;
    scene.is_settled(3, 1).await;
    let suspended = VendorState { status: VendorStatus::Suspended, ..approved(clinic.vendor_id, 2) };
    world.tell(&VendorSuspended(suspended)).await;
    scene.is_noticed(Attention::VendorInactive, 4, 2).await;
    world.tell(&VendorApproved(approved(clinic.vendor_id, 3))).await;
    scene.is_settled(5, 2).await;
}

#[tokio::test]
async fn only_visits_that_are_to_come_are_looked_at() {
    let scene = Scene::set().await;
    let Scene { world, clinic, customer, booking, .. } = &scene;
    let staff = Person::customer(world);
    clinic.employ(world, staff.id).await;
    staff.ask(&ConfirmBooking { id: booking.id }).await.unwrap();
    let over = customer.book(clinic.service(0), Some(clinic.staff(0)), local(3, 16, 0)).await.unwrap();
    all_looked_at(world).await;
    let to_the_past = "starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour'";
    world.execute(&format!("update booking.bookings set {to_the_past} where id = '{}'", over.id)).await;
    world.tell(&hours_of(clinic, until_noon(&clinic.hours), 2)).await;
    world.until("select count(*) from booking.bookings where attention = 'outside_hours'", 1).await;
    all_looked_at(world).await;
    let noticed = customer.ask(&GetBooking { id: booking.id }).await.unwrap();
    assert_eq!((noticed.attention, noticed.status), (Some(Attention::OutsideHours), BookingStatus::Confirmed));
    assert_eq!(world.number(&format!("select version from booking.bookings where id = '{}'", over.id)).await, 1);
}

/// Waits until somebody waits for the vendor's lock.
async fn somebody_waits(world: &World) {
    let waiters = "select count(*) from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())";
    world.until(waiters, 1).await;
}

async fn holding(world: &World, lock: &str, clinic: &Clinic) -> DatabaseTransaction {
    let holding = world.database().begin().await.unwrap();
    holding.execute_unprepared("set local search_path = booking, ext").await.unwrap();
    holding.execute_unprepared(&format!("select {lock}('{}')", clinic.vendor_id)).await.unwrap();
    holding
}

/// A booking that is made while a change of the schedule is being stored waits for it, and is then looked at; and a
/// change waits for a booking that is being made, and then finds it.
#[tokio::test]
async fn a_change_that_races_a_new_booking_is_not_lost() {
    let scene = Scene::set().await;
    let Scene { world, clinic, customer, booking, .. } = &scene;
    let noticed =
        |id| format!("select count(*) from booking.bookings where id = '{id}' and attention = 'outside_hours'");
    // Nothing has changed for long.
    world.execute("delete from booking.schedule_changes").await;
    let storing = holding(world, "lock_schedule", clinic).await;
    let request = creating(clinic.service(0), Some(clinic.staff(1)), local(3, 15, 0));
    let asking = {
        let customer = customer.clone();
        tokio::spawn(async move { customer.ask(&request).await })
    };
    somebody_waits(world).await;
    let change = format!(
        "update service_availability set version = 2, hours = '{}' where id = '{}';
        insert into schedule_changes (vendor_id, changed_at) values ('{}', clock_timestamp())",
        serde_json::to_string(&until_noon(&clinic.hours)).unwrap(),
        clinic.clinic_id,
        clinic.vendor_id,
    );
    storing.execute_unprepared(&change).await.unwrap();
    storing.commit().await.unwrap();
    // It was made on what the vendor service said before.
    let made = asking.await.unwrap().unwrap();
    assert_eq!((made.schedule_version, made.attention), (1, None));
    world.until(&noticed(made.id), 1).await;

    let claiming = holding(world, "share_schedule", clinic).await;
    world.tell(&hours_of(clinic, until_noon(&clinic.hours), 3)).await;
    somebody_waits(world).await;
    assert_eq!(scene.now().await.attention, None);
    claiming.commit().await.unwrap();
    world.until(&noticed(booking.id), 1).await;
}

#[tokio::test]
async fn replicas_share_what_is_far_more_than_a_batch() {
    let scene = Scene::set().await;
    let Scene { world, clinic, booking, .. } = &scene;
    let _second = world.run_booking().await;
    let _third = world.run_booking().await;
    // The same booking many times over, with the history that each would have.
    let copies = format!(
        "with copied as (
            insert into booking.bookings
            select (jsonb_populate_record(original, jsonb_build_object(
                'id', gen_random_uuid(), 'session_id', null,
                'reference', lpad(translate(to_hex(number), 'abcdef', 'ABCDEF'), 8, '0')))).*
            from booking.bookings as original, generate_series(1, 1000) as number where original.id = '{id}'
            returning id
        )
        insert into booking.booking_changes
        select (jsonb_populate_record(change, jsonb_build_object('booking_id', copied.id))).*
        from booking.booking_changes as change, copied where change.booking_id = '{id}'",
        id = booking.id,
    );
    world.execute(&copies).await;
    world.tell(&hours_of(clinic, until_noon(&clinic.hours), 2)).await;
    world.until("select count(*) from booking.bookings where attention = 'outside_hours' and version = 2", 1001).await;
    all_looked_at(world).await;
    assert_eq!(world.number("select count(*) from booking.booking_changes where kind = 'needs_attention'").await, 1001);
    assert_eq!(world.told("booking.needs_attention").await, 1001);
}
