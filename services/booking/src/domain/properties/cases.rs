//! Clinics, staff, bookings and questions as chance has them, around a change of the clocks.

use super::super::schedule::{ClinicSchedule, KnownService};
use super::{ELSEWHERE, HERE};
use chrono::{Days, Duration, NaiveDate};
use proptest::prelude::*;
use proptest::sample::select;
use subjects::Money;
use subjects::ids::{ClinicId, ServiceId, StaffId, VendorId};
use subjects::time::{Instant, TimeZone};
use subjects::vendor::{
    BookingPolicy, DayInterval, HourException, OpeningHours, ServiceState, StaffState, WallTime, Weekday,
    WeeklyInterval, WorkingException, WorkingInterval,
};
use uuid::Uuid;

/// A case to try: a clinic with staff and bookings, and a question for its slots.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub(super) clinics: Vec<ClinicSchedule>,
    pub(super) staff: Vec<StaffState>,
    /// Staff member and service by their places, when, how long, and whether it has room.
    pub(super) claims: Vec<(usize, usize, i64, Option<i64>, bool)>,
    pub(super) first: NaiveDate,
    pub(super) last: NaiveDate,
    pub(super) now: Instant,
    pub(super) page: usize,
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

/// Any case around a change of the clocks in one zone, with a second clinic in another one.
pub(super) fn any_case(here: TimeZone, elsewhere: TimeZone, change: Instant) -> impl Strategy<Value = Case> {
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
