//! Claims beside other claims: holds and bookings mixed, sessions given back, a schedule that changes meanwhile.

use crate::asking::{Person, creating};
use crate::clinic::{Clinic, local};
use crate::races::check_tables;
use crate::vendor_seat;
use crate::world::World;
use sea_orm::{ConnectionTrait, DbBackend, Statement, TransactionTrait};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use subjects::booking::{Booking, BookingError, CancelBooking, UpdateBooking};

/// So many bookings and as many holds of one slot, all at once, by as many people; answers how many got it.
async fn holds_and_bookings(world: &World, clinic: &Clinic, count: usize) -> usize {
    let asking = (0..2 * count).map(|number| {
        let (person, service_id) = (Person::customer(world), clinic.service(0));
        tokio::spawn(async move {
            if number % 2 == 0 {
                person.book(service_id, None, local(2, 10, 0)).await.map(drop)
            } else {
                person.hold(service_id, None, local(2, 10, 0)).await.map(drop)
            }
        })
    });
    let asking: Vec<_> = asking.collect();
    let mut got_it = 0;
    for answer in asking {
        match answer.await.unwrap() {
            Ok(()) => got_it += 1,
            Err(error) => assert_eq!(error, BookingError::SlotTaken),
        }
    }
    got_it
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_and_a_booking_never_share_a_slot() {
    let world = World::start().await;
    let _instances = [world.run_booking().await, world.run_booking().await];
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    assert_eq!(holds_and_bookings(&world, &clinic, 30).await, 1);
    check_tables(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_five_takes_five_of_both_kinds() {
    let world = World::start().await;
    let _instances = [world.run_booking().await, world.run_booking().await];
    let mut clinic = Clinic::new(&[30], 1);
    clinic.services[0].capacity = 5;
    clinic.tell(&world).await;
    assert_eq!(holds_and_bookings(&world, &clinic, 20).await, 5);
    assert_eq!(world.number("select taken::bigint from booking.sessions").await, 5);
    check_tables(&world).await;

    // Those whose time is over make room for as many, whatever they are.
    world.execute("update booking.bookings set expires_at = now()").await;
    world.execute("update booking.holds set expires_at = now()").await;
    assert_eq!(holds_and_bookings(&world, &clinic, 20).await, 5);
    check_tables(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_given_back_by_many_at_once() {
    let world = World::start().await;
    let _instances = [world.run_booking().await, world.run_booking().await];
    let mut clinic = Clinic::new(&[30], 1);
    clinic.services[0].capacity = 20;
    clinic.tell(&world).await;
    let customer = Person::customer(&world);
    let mut made = Vec::new();
    for _ in 0..20 {
        made.push(customer.book(clinic.service(0), None, local(2, 10, 0)).await.unwrap());
    }

    let cancelling: Vec<_> = made
        .iter()
        .map(|booking| {
            let (customer, id) = (customer.clone(), booking.id);
            tokio::spawn(async move { customer.ask(&CancelBooking { id, reason: None }).await })
        })
        .collect();
    for cancelled in cancelling {
        cancelled.await.unwrap().unwrap();
    }
    assert_eq!(world.number("select count(*) from booking.sessions").await, 0);
    check_tables(&world).await;
}

async fn is_flagged(world: &World, booking: &Booking) -> bool {
    let flagged = format!("select count(*) from booking.bookings where id = '{}' and schedule_changed", booking.id);
    world.number(&flagged).await == 1
}

#[tokio::test]
async fn what_is_claimed_while_the_schedule_changes_is_looked_at_again() {
    // Not while this test looks.
    let world = World::start_with(3_600_000, 3_600_000).await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 1);
    clinic.tell(&world).await;
    let _vendor = vendor_seat::sit_down(&world, Arc::new(Mutex::new(clinic.clone()))).await;
    let customer = Person::customer(&world);
    let changed = |ago: &str| {
        format!(
            "insert into booking.schedule_changes (vendor_id, changed_at)
            values ('{}', now() - interval '{ago}')
            on conflict (vendor_id) do update set changed_at = excluded.changed_at",
            clinic.vendor_id
        )
    };

    world.execute(&changed("66 seconds")).await;
    let before = customer.book(clinic.service(0), None, local(2, 9, 0)).await.unwrap();
    assert!(!is_flagged(&world, &before).await);

    // The vendor has been asked, and the change comes in before the claim: it waits for the change, and sees it.
    let storing = world.database().begin().await.unwrap();
    storing.execute_unprepared("set local search_path = booking, ext").await.unwrap();
    storing.execute_unprepared(&format!("select lock_schedule('{}')", clinic.vendor_id)).await.unwrap();
    let waiting = {
        let (customer, service_id) = (customer.clone(), clinic.service(0));
        tokio::spawn(async move { customer.book(service_id, None, local(2, 10, 0)).await })
    };
    let moving = {
        let (customer, id) = (customer.clone(), before.id);
        let request = UpdateBooking { id, starts_at: local(2, 11, 0), staff_id: None, notes: None };
        tokio::spawn(async move { customer.ask_if(&request, 1).await })
    };
    let waiters = "select count(*) from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())";
    world.until(waiters, 2).await;
    // The one that moves does not hold its booking yet, which the change may want to flag.
    storing.execute_unprepared("select from bookings for update nowait").await.unwrap();
    storing.execute_unprepared(&changed("0 seconds")).await.unwrap();
    storing.commit().await.unwrap();
    let made = waiting.await.unwrap().unwrap();
    let moved = moving.await.unwrap().unwrap();
    assert!(is_flagged(&world, &made).await && is_flagged(&world, &moved).await);
}

/// Thousands of other claims, so that reading all of them would be the wrong plan.
const CROWD: &str = "
    insert into booking.sessions
        (id, staff_id, service_id, starts_at, ends_at, blocked_from, blocked_to, capacity, taken)
    select gen_random_uuid(), staff.id, gen_random_uuid(), visit.at, visit.at + interval '30 minutes', visit.at,
        visit.at + interval '30 minutes', 1, 1
    from (select gen_random_uuid() as id from generate_series(1, 40)) as staff,
        generate_series(now(), now() + interval '10 days', interval '30 minutes') as visit (at);
    insert into booking.bookings
        (id, reference, version, status, customer_id, vendor_id, clinic_id, service_id, service_name, staff_id,
         session_id, pet_name, pet_species, starts_at, ends_at, time_zone, price_amount, price_currency, policy,
         fee_amount, schedule_version, expires_at, created_at, updated_at)
    select gen_random_uuid(), translate(upper(substr(md5(id::text), 1, 8)), 'ILOU', '1111'), 1, 'pending',
        gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), service_id, 'Visit', staff_id, id, 'Milo', 'cat',
        starts_at, ends_at, 'Asia/Jakarta', 1, 'IDR', '{}', 0, 1, starts_at + interval '1 day', now(), now()
    from booking.sessions where staff_id not in (select staff_id from booking.bookings)
    on conflict do nothing;
    insert into booking.holds
        (id, user_id, vendor_id, clinic_id, service_id, staff_id, session_id, starts_at, ends_at, time_zone, expires_at,
         created_at)
    select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), service_id, staff_id, id,
        starts_at, ends_at, 'Asia/Jakarta', now() + interval '1 day', now()
    from booking.sessions where not exists (select from booking.services where id = service_id) limit 5000;
    insert into booking.schedule_changes select gen_random_uuid(), now() from generate_series(1, 5000);
    analyze booking.sessions, booking.bookings, booking.holds, booking.schedule_changes";

/// How often each table was read as a whole and by an index.
async fn scans(db: &impl ConnectionTrait) -> BTreeMap<String, (i64, i64)> {
    let counters = Statement::from_string(
        DbBackend::Postgres,
        "select relname::text, coalesce(seq_scan, 0), coalesce(idx_scan, 0) from pg_stat_xact_user_tables
        where schemaname = 'booking' and relname in ('sessions', 'bookings', 'holds', 'schedule_changes')",
    );
    let rows = db.query_all_raw(counters).await.unwrap();
    assert_eq!(rows.len(), 4);
    let by_table = rows.iter().map(|row| {
        let scans = (row.try_get_by_index(1).unwrap(), row.try_get_by_index(2).unwrap());
        (row.try_get_by_index(0).unwrap(), scans)
    });
    by_table.collect()
}

#[tokio::test]
async fn claims_are_found_by_their_indexes() {
    let world = World::start().await;
    let _booking = world.run_booking().await;
    let clinic = Clinic::new(&[30], 3);
    clinic.tell(&world).await;
    let customer = Person::customer(&world);
    for hour in [9, 10, 11] {
        customer.ask(&creating(clinic.service(0), Some(clinic.staff(0)), local(2, hour, 0))).await.unwrap();
    }
    world.execute("update booking.bookings set expires_at = now()").await;
    world.execute(CROWD).await;
    let some_expire = "update booking.holds set expires_at = now() where id in (select id from booking.holds limit 3)";
    world.execute(some_expire).await;

    let looking = world.database().begin().await.unwrap();
    looking.execute_unprepared("set local search_path = booking, ext").await.unwrap();
    // An expired claim gives way, the next one comes too late, and all is given back.
    let claiming = format!(
        "select claim_session(gen_random_uuid(), array['{0}']::uuid[], '{1}', '{2}', '{3}'::timestamptz,
            '{3}'::timestamptz + interval '30 minutes', '{3}'::timestamptz, '{3}'::timestamptz + interval '30 minutes', 1);
        select hold_session(gen_random_uuid(), 5, gen_random_uuid(), array['{0}']::uuid[], '{1}', '{2}',
            '{3}'::timestamptz, '{3}'::timestamptz + interval '30 minutes', '{3}'::timestamptz,
            '{3}'::timestamptz + interval '30 minutes', 1);
        select take_hold(gen_random_uuid(), gen_random_uuid(), array['{0}']::uuid[], '{1}', '{2}', now(), null);
        select release_hold(gen_random_uuid(), gen_random_uuid());
        select release_session(id) from sessions where staff_id = '{0}'
            and tstzrange(blocked_from, blocked_to) @> '{3}'::timestamptz;
        select release_expired_holds(100)",
        clinic.staff(0),
        clinic.vendor_id,
        clinic.service(0),
        local(2, 10, 0).to_rfc3339(),
    );
    // The counters also have what the connection did before.
    let before = scans(&looking).await;
    looking.execute_unprepared(&claiming).await.unwrap();
    let after = scans(&looking).await;
    for (table, (whole, by_index)) in after {
        let (whole_before, by_index_before) = before.get(&table).copied().unwrap_or_default();
        assert_eq!(whole, whole_before, "{table} was read as a whole");
        assert!(by_index > by_index_before, "{table} was not read");
    }
    looking.rollback().await.unwrap();
}
