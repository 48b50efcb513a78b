//! Slots against an independent oracle, around every change of the clocks of some zones.

use super::oracle::{Clock, Slots, TakenTime, is_free};
use super::schedule::{ClinicSchedule, Known, KnownService, Schedule};
use super::search::{Asked, SlotKey, sought};
use super::slots::{Claim, Taken, free_slots};
use crate::vendor_calls::Question;
use chrono::{DateTime, Datelike as _, Days, Duration, NaiveDate, NaiveTime, Offset as _, Timelike as _};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use std::ops::Range;
use subjects::Money;
use subjects::ids::{ClinicId, ServiceId, StaffId, VendorId};
use subjects::time::{Instant, TimeZone};
use subjects::vendor::{
    BookingPolicy, DayInterval, HourException, OpeningHours, ServiceState, StaffState, WallTime, Weekday,
    WeeklyInterval, WorkingException, WorkingInterval,
};
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

/// A case to try: a clinic with staff and bookings, and a question for its slots.
#[derive(Debug, Clone)]
struct Case {
    clinics: Vec<ClinicSchedule>,
    staff: Vec<StaffState>,
    /// Staff member and service by their places, when, how long, and whether it has room.
    claims: Vec<(usize, usize, i64, Option<i64>, bool)>,
    first: NaiveDate,
    last: NaiveDate,
    now: Instant,
    page: usize,
}

fn any_time(near: Vec<WallTime>) -> impl Strategy<Value = WallTime> {
    prop_oneof![
        4 => select(near),
        2 => (0_u16..24, 0_u16..60).prop_map(|(hour, minute)| WallTime::new(hour, minute).unwrap()),
        1 => Just(WallTime::MIDNIGHT),
    ]
}

/// Times of day that the clocks show around a change, before it and after it.
fn times_near(zone: TimeZone, change: Instant) -> Vec<WallTime> {
    let deltas = [-75, -60, -31, -30, -5, -1, 0, 1, 5, 29, 30, 59, 60, 75];
    let before = (change - Duration::minutes(1)).with_timezone(&zone.0).naive_local() + Duration::minutes(1);
    let after = change.with_timezone(&zone.0).naive_local();
    let moments = [before, after].into_iter().flat_map(|shown| deltas.map(|delta| shown + Duration::minutes(delta)));
    moments.map(|moment| WallTime::from_naive(moment.time())).collect()
}

fn any_day_intervals(near: Vec<WallTime>) -> impl Strategy<Value = Vec<DayInterval>> {
    let interval = (any_time(near.clone()), any_time(near)).prop_map(|(opens, closes)| DayInterval { opens, closes });
    prop::collection::vec(interval, 0..3)
}

fn any_week(near: Vec<WallTime>, date: NaiveDate) -> impl Strategy<Value = Vec<WeeklyInterval>> {
    let days: Vec<Weekday> = (0..3).map(|day| Weekday::of(date + Days::new(day) - Days::new(1))).collect();
    let day = prop_oneof![3 => select(days), 1 => select(Weekday::ALL.to_vec())];
    let interval = (day, any_time(near.clone()), any_time(near.clone()))
        .prop_map(|(day, opens, closes)| WeeklyInterval { day, opens, closes });
    let every_day = |intervals: Vec<DayInterval>| -> Vec<WeeklyInterval> {
        let of_day = |day: Weekday| {
            intervals.iter().map(move |interval| WeeklyInterval { day, opens: interval.opens, closes: interval.closes })
        };
        Weekday::ALL.into_iter().flat_map(of_day).collect()
    };
    let chain = (any_time(near.clone()), any_time(near.clone())).prop_map(move |(one, other)| {
        let from = DayInterval { opens: one, closes: other };
        every_day(vec![from, DayInterval { opens: other, closes: one }])
    });
    prop_oneof![
        4 => prop::collection::vec(interval, 0..9),
        2 => any_day_intervals(near).prop_map(every_day),
        1 => chain,
    ]
}

fn any_exceptions(near: Vec<WallTime>, date: NaiveDate) -> impl Strategy<Value = Vec<(NaiveDate, Vec<DayInterval>)>> {
    let one = (0_u64..6, any_day_intervals(near))
        .prop_map(move |(day, intervals)| (date + Days::new(day) - Days::new(2), intervals));
    prop::collection::vec(one, 0..3).prop_map(|mut exceptions| {
        exceptions.sort_by_key(|(date, _)| *date);
        exceptions.dedup_by_key(|(date, _)| *date);
        exceptions
    })
}

fn any_hours(zone: TimeZone, change: Instant) -> impl Strategy<Value = OpeningHours> {
    let (near, date) = (times_near(zone, change), change.with_timezone(&zone.0).date_naive());
    (any_week(near.clone(), date), any_exceptions(near, date)).prop_map(move |(weekly, exceptions)| OpeningHours {
        time_zone: zone,
        weekly,
        exceptions: exceptions
            .into_iter()
            .map(|(date, intervals)| HourException { date, intervals, note: None })
            .collect(),
    })
}

fn any_service(number: u128, clinic_id: ClinicId) -> impl Strategy<Value = KnownService> {
    let duration = prop_oneof![6 => 5_u16..200, 1 => Just(1440_u16)];
    let step = prop_oneof![3 => select(vec![5_u16, 15, 20, 25, 60]), 2 => 5_u16..240, 1 => Just(1440_u16)];
    let notice = prop_oneof![Just(0_u32), 0_u32..2000];
    (duration, step, 0_u16..60, 0_u16..60, notice, 1_u16..9).prop_map(
        move |(duration, step, before, after, minimum_notice_minutes, booking_window_days)| KnownService {
            state: ServiceState {
                service_id: ServiceId(Uuid::from_u128(number)),
                clinic_id,
                vendor_id: VendorId(Uuid::from_u128(0)),
                name: String::new(),
                duration_minutes: duration,
                buffer_before_minutes: before,
                buffer_after_minutes: after,
                price: Money::idr(0),
                capacity: 2,
                slot_step_minutes: step,
                minimum_notice_minutes,
                booking_window_days,
                active: true,
                version: 1,
            },
            removed: false,
        },
    )
}

fn any_member(number: u128, zone: TimeZone, change: Instant) -> impl Strategy<Value = StaffState> {
    let (near, date) = (times_near(zone, change), change.with_timezone(&zone.0).date_naive());
    let at = select(vec![None, Some(HERE), Some(ELSEWHERE)]);
    let week = (any_week(near.clone(), date), prop::collection::vec(at, 20)).prop_map(|(week, at)| {
        let intervals = week.into_iter().zip(at.into_iter().cycle());
        let own = intervals.map(|(WeeklyInterval { day, opens, closes }, clinic_id)| WorkingInterval {
            day,
            opens,
            closes,
            clinic_id,
        });
        own.collect::<Vec<WorkingInterval>>()
    });
    let performs =
        prop::collection::vec(select((20..24).map(Uuid::from_u128).map(ServiceId).collect::<Vec<_>>()), 1..4);
    (prop::option::of(week), any_exceptions(near, date), performs, prop::bool::weighted(0.9)).prop_map(
        move |(hours, exceptions, service_ids, active)| StaffState {
            staff_id: StaffId(Uuid::from_u128(number)),
            vendor_id: VendorId(Uuid::from_u128(0)),
            clinic_ids: vec![HERE, ELSEWHERE],
            service_ids,
            hours,
            exceptions: exceptions.into_iter().map(|(date, intervals)| WorkingException { date, intervals }).collect(),
            active,
            version: 1,
        },
    )
}

fn any_clinic(
    clinic_id: ClinicId,
    hours: impl Strategy<Value = OpeningHours>,
) -> impl Strategy<Value = ClinicSchedule> {
    let number = if clinic_id == HERE { 20 } else { 22 };
    (hours, any_service(number, clinic_id), any_service(number + 1, clinic_id)).prop_map(move |(hours, one, other)| {
        ClinicSchedule {
            clinic_id,
            vendor_id: VendorId(Uuid::from_u128(0)),
            time_zone: hours.time_zone,
            policy: BookingPolicy::default(),
            takes_bookings: true,
            schedule_version: 1,
            hours,
            services: vec![one, other],
        }
    })
}

fn any_case(here: TimeZone, elsewhere: TimeZone, change: Instant) -> impl Strategy<Value = Case> {
    let date = change.with_timezone(&here.0).date_naive();
    let clinics = (any_clinic(HERE, any_hours(here, change)), any_clinic(ELSEWHERE, any_hours(elsewhere, change)));
    let staff = (any_member(10, here, change), any_member(11, here, change));
    let claim = (0_usize..2, 0_usize..4, -1000_i64..4000, prop::option::of(10_i64..600), any::<bool>());
    let claims = prop::collection::vec(claim, 0..12);
    let dates = (0_u64..3, 0_u64..4);
    (clinics, staff, claims, dates, -4000_i64..4000, 0_i64..60, 20_usize..300).prop_map(
        move |((here, elsewhere), (one, other), claims, (before, days), minutes, seconds, page)| {
            let first = date - Days::new(before);
            let now = change + Duration::minutes(minutes) + Duration::seconds(seconds);
            let (clinics, staff) = (vec![here, elsewhere], vec![one, other]);
            Case { clinics, staff, claims, first, last: first + Days::new(days), now, page }
        },
    )
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
