//! Slots against an independent oracle, around every change of the clocks of some zones.

mod cases;

use super::oracle::{Clock, Slots, TakenTime, is_free};
use super::schedule::{Known, Schedule};
use super::search::{Asked, SlotKey, sought};
use super::slots::{Claim, Taken, free_slots};
use crate::vendor_calls::Question;
use cases::{Case, any_case};
use chrono::{DateTime, Datelike as _, Days, Duration, NaiveDate, NaiveTime, Offset as _, Timelike as _};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::ops::Range;
use subjects::ids::{ClinicId, StaffId};
use subjects::time::{Instant, TimeZone};
use subjects::vendor::ServiceState;
use uuid::Uuid;

/// The years whose changes are tried, the last one not among them.
const YEARS: Range<i32> = 2000..2040;
/// How many days before and after a change the oracle watches: enough for what begins long before the days asked for.
const DAYS_WATCHED: i64 = 6;
const HERE: ClinicId = ClinicId(Uuid::from_u128(1));
const ELSEWHERE: ClinicId = ClinicId(Uuid::from_u128(2));

fn zone(name: &str) -> TimeZone {
    TimeZone::parse(name).unwrap()
}

fn year_begins(year: i32) -> Instant {
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap().and_time(NaiveTime::MIN).and_utc()
}

fn offset(zone: TimeZone, instant: Instant) -> i32 {
    instant.with_timezone(&zone.0).offset().fix().local_minus_utc()
}

/// The first instant of each new offset, by looking at every hour.
fn changes(zone: TimeZone) -> Vec<Instant> {
    let mut changes = Vec::new();
    let mut before = year_begins(YEARS.start);
    while before < year_begins(YEARS.end) {
        let after = before + Duration::hours(1);
        if offset(zone, before) != offset(zone, after) {
            let (mut old, mut new) = (before, after);
            while new - old > Duration::seconds(1) {
                let middle = old + Duration::seconds((new - old).num_seconds() / 2);
                if offset(zone, middle) == offset(zone, before) { old = middle } else { new = middle }
            }
            changes.push(new);
        }
        before = after;
    }
    changes
}

/// How many local days do not take 24 hours: counted another way, by when the date on the calendar changes.
fn uneven_days(zone: TimeZone) -> usize {
    let half_hours = (year_begins(YEARS.end) - year_begins(YEARS.start)).num_minutes() / 30;
    let mut uneven = 0;
    let (mut date, mut begun) = (None, None);
    for half_hour in 0..half_hours {
        let shown = (year_begins(YEARS.start) + Duration::minutes(half_hour * 30)).with_timezone(&zone.0).date_naive();
        if date.is_some_and(|date| date < shown) {
            uneven += usize::from(begun.is_some_and(|begun| half_hour - begun != 48));
            begun = Some(half_hour);
        }
        date = date.max(Some(shown));
    }
    uneven
}

/// The claims of a case that do not overlap, as the database guarantees, for the one side and the other.
fn claims_of(case: &Case, change: Instant, clock: &Clock) -> (Vec<Claim>, Vec<TakenTime>) {
    let services: Vec<&ServiceState> =
        case.clinics.iter().flat_map(|clinic| clinic.services.iter().map(|service| &service.state)).collect();
    let mut claims: Vec<Claim> = Vec::new();
    let mut taken: Vec<TakenTime> = Vec::new();
    for (member, service, minute, other_length, has_room) in &case.claims {
        let (staff_id, service) = (case.staff[*member].staff_id, services[*service]);
        let start = clock.minute_of(change) + minute;
        let end = start + other_length.unwrap_or(i64::from(service.duration_minutes));
        let from = start - i64::from(service.buffer_before_minutes);
        let blocked = from..end + i64::from(service.buffer_after_minutes);
        let mut of_member = taken.iter().filter(|other| other.staff_id == staff_id);
        if of_member.any(|other| other.blocked.start < blocked.end && blocked.start < other.blocked.end) {
            continue;
        }
        claims.push(Claim {
            staff_id,
            service_id: service.service_id,
            starts_at: clock.instant_of(start),
            ends_at: clock.instant_of(end),
            blocked_from: clock.instant_of(blocked.start),
            blocked_to: clock.instant_of(blocked.end),
            has_room: *has_room,
        });
        let has_room = *has_room;
        taken.push(TakenTime { staff_id, service_id: service.service_id, visit: start..end, blocked, has_room });
    }
    (claims, taken)
}

/// All pages of the slots that are found.
fn found(schedule: &Schedule, case: &Case, claims: Vec<Claim>, clock: &Clock) -> Slots {
    let places = schedule.places(None, case.first, case.last);
    let taken = Taken::new(claims);
    let mut slots = Slots::new();
    let mut after: Option<SlotKey> = None;
    loop {
        let asked = Asked { first: case.first, last: case.last, after, now: case.now };
        let free = free_slots(&sought(&places, &asked), &taken, case.page + 1);
        assert!(free.is_sorted_by_key(|slot| (slot.starts_at, slot.service_id)));
        for slot in free.iter().take(case.page) {
            after = Some(SlotKey { starts_at: slot.starts_at, service_id: slot.service_id });
            let key = (clock.minute_of(slot.starts_at), slot.service_id);
            assert!(slots.insert(key, slot.staff_ids.clone()).is_none(), "shown twice");
        }
        if free.len() <= case.page {
            return slots;
        }
    }
}

/// Whether what is found is what the oracle finds, and can be booked, and nothing else.
fn check(case: &Case, change: Instant, clocks: &[Clock; 2]) -> Result<(), TestCaseError> {
    let schedule = Schedule { clinics: case.clinics.clone(), staff: case.staff.clone() };
    // Both clocks count their minutes from the same instant.
    let (claims, taken) = claims_of(case, change, &clocks[0]);
    let mut expected = Slots::new();
    for (clinic, clock) in case.clinics.iter().zip(clocks) {
        let days = clock.date_begins(case.first)..clock.date_begins(case.last + Days::new(1));
        for member in case.staff.iter().filter(|member| member.active) {
            let works = clock.works(&clinic.hours, clinic.clinic_id, member);
            let performed = clinic.services.iter().map(|service| &service.state);
            for service in performed.filter(|service| member.service_ids.contains(&service.service_id)) {
                let notice = Duration::minutes(service.minimum_notice_minutes.into());
                let window = Duration::days(service.booking_window_days.into());
                let earliest = clock.minute_of(case.now + notice);
                let latest = clock.minute_of(case.now + window + Duration::seconds(1)) - 1;
                let on_grid = clock.starts(&works, service);
                let may_begin = |start: &i64| (earliest..=latest).contains(start);
                check_booking(&schedule, service, member.staff_id, case.now, clock, &days, |minute| {
                    on_grid.binary_search(&minute).is_ok() && may_begin(&minute)
                })?;
                for start in on_grid.iter().copied().filter(may_begin).filter(|start| days.contains(start)) {
                    if is_free(&taken, member.staff_id, service, start) {
                        expected.entry((start, service.service_id)).or_default().push(member.staff_id);
                    }
                }
            }
        }
    }
    let found = found(&schedule, case, claims, &clocks[0]);
    let differs = found.iter().find(|(key, staff)| expected.get(key) != Some(staff)).map(|(key, _)| key);
    let lacks = expected.keys().find(|key| !found.contains_key(key));
    if let Some(key) = [differs, lacks].into_iter().flatten().min() {
        let starts_at = clocks[0].instant_of(key.0);
        let (is, should_be) = (found.get(key), expected.get(key));
        return Err(TestCaseError::fail(format!("{} at {starts_at}: {is:?} instead of {should_be:?}", key.1)));
    }
    Ok(())
}

/// What is asked when a customer books: for some minutes whether one may, which does not depend on the days looked at.
fn check_booking(
    schedule: &Schedule,
    service: &ServiceState,
    staff_id: StaffId,
    now: Instant,
    clock: &Clock,
    days: &Range<i64>,
    expected: impl Fn(i64) -> bool,
) -> Result<(), TestCaseError> {
    for minute in days.clone().step_by(97).chain(days.clone().step_by(120)) {
        let starts_at = clock.instant_of(minute);
        let Question { service_id, first, last, .. } = Question::at(service.service_id, None, starts_at);
        let Known::Offer(offer) = schedule.known(service_id, Some(staff_id), first, last) else {
            return Err(TestCaseError::fail("an offer that is not known"));
        };
        let period = offer.period(starts_at);
        let candidates = offer.candidates(None, &period);
        let admitted = candidates.and_then(|candidates| offer.slot_candidates(candidates, &period, now));
        prop_assert_eq!(admitted.is_ok(), expected(minute), "a visit at {}", starts_at);
    }
    Ok(())
}

fn check_around(here: TimeZone, elsewhere: TimeZone, change: Instant, cases: u32) {
    let clocks = [here, elsewhere].map(|zone| Clock::watch(zone, change, DAYS_WATCHED));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config).run(&any_case(here, elsewhere, change), |case| check(&case, change, &clocks));
    checked.unwrap_or_else(|failure| panic!("{} and {} around {change}: {failure}", here.name(), elsewhere.name()));
}

/// Every change of a zone, and that there are so many.
fn check_zone(name: &str, elsewhere: &str, expected_changes: usize) {
    let found = changes(zone(name));
    assert_eq!(found.len(), expected_changes);
    assert_eq!(uneven_days(zone(name)), expected_changes);
    for change in found {
        assert_eq!((change.second(), change.nanosecond()), (0, 0));
        check_around(zone(name), zone(elsewhere), change, 2);
    }
}

/// Random days of a zone whose clocks have not changed since 2000.
fn check_without_changes(name: &str, elsewhere: &str) {
    assert_eq!(changes(zone(name)).len(), 0);
    assert_eq!(uneven_days(zone(name)), 0);
    let minutes = (year_begins(YEARS.end) - year_begins(YEARS.start)).num_minutes();
    let config = Config { cases: 20, failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config).run(&(0..minutes), |minute| {
        check_around(zone(name), zone(elsewhere), year_begins(YEARS.start) + Duration::minutes(minute), 2);
        Ok(())
    });
    checked.unwrap();
}

#[test]
fn jakarta() {
    check_without_changes("Asia/Jakarta", "Asia/Jayapura");
}

#[test]
fn makassar() {
    check_without_changes("Asia/Makassar", "Asia/Jakarta");
}

#[test]
fn jayapura() {
    check_without_changes("Asia/Jayapura", "Asia/Makassar");
}

#[test]
fn berlin_twice_a_year() {
    check_zone("Europe/Berlin", "Africa/Casablanca", 2 * YEARS.len());
}

#[test]
fn new_york_twice_a_year() {
    check_zone("America/New_York", "Asia/Jakarta", 2 * YEARS.len());
}

#[test]
fn lord_howe_twice_a_year_by_half_an_hour() {
    check_zone("Australia/Lord_Howe", "Europe/Berlin", 2 * YEARS.len());
}

#[test]
fn casablanca_around_ramadan() {
    let past = changes(zone("Africa/Casablanca")).into_iter().filter(|change| change.year() < 2026).count();
    assert_eq!(past, 49);
    let all = changes(zone("Africa/Casablanca")).len();
    check_zone("Africa/Casablanca", "Australia/Lord_Howe", all);
}

#[test]
fn the_clocks_are_put_where_everybody_knows() {
    let changes_of = |name: &str, year: i32| -> Vec<String> {
        let in_year = changes(zone(name)).into_iter().filter(|change: &DateTime<_>| change.year() == year);
        in_year.map(|change| change.to_string()).collect()
    };
    assert_eq!(changes_of("Europe/Berlin", 2026), ["2026-03-29 01:00:00 UTC", "2026-10-25 01:00:00 UTC"]);
    assert_eq!(changes_of("America/New_York", 2006), ["2006-04-02 07:00:00 UTC", "2006-10-29 06:00:00 UTC"]);
    assert_eq!(changes_of("Australia/Lord_Howe", 2026), ["2026-04-04 15:00:00 UTC", "2026-10-03 15:30:00 UTC"]);
    assert_eq!(changes_of("Africa/Casablanca", 2025), ["2025-02-23 02:00:00 UTC", "2025-04-06 02:00:00 UTC"]);
}
