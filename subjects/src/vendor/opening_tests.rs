use super::*;
use crate::ids::ClinicId;
use crate::vendor::working::{OwnHours, WorkingException, WorkingInterval};
use chrono::DateTime;
use proptest::prelude::*;

fn zone(name: &str) -> TimeZone {
    TimeZone::parse(name).unwrap()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn wall(text: &str) -> WallTime {
    WallTime::parse(text).unwrap()
}

fn every_day(opens: &str, closes: &str) -> Vec<WeeklyInterval> {
    Weekday::ALL.map(|day| WeeklyInterval { day, opens: wall(opens), closes: wall(closes) }).to_vec()
}

fn hours(zone_name: &str, weekly: Vec<WeeklyInterval>) -> OpeningHours {
    OpeningHours { time_zone: zone(zone_name), weekly, exceptions: Vec::new() }
}

#[track_caller]
fn check(hours: &OpeningHours, first: &str, last: &str, expected: &[(&str, &str)]) {
    let instant = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc);
    let expected: Vec<OpenInterval> =
        expected.iter().map(|(from, to)| OpenInterval { from: instant(from), to: instant(to) }).collect();
    assert_eq!(hours.open_between(date(first), date(last)), expected);
}

#[test]
fn each_zone_has_its_own_eight_o_clock() {
    for (name, expected) in [
        ("Asia/Jakarta", ("2026-03-02T01:00:00Z", "2026-03-02T09:00:00Z")),
        ("Asia/Makassar", ("2026-03-02T00:00:00Z", "2026-03-02T08:00:00Z")),
        ("Asia/Jayapura", ("2026-03-01T23:00:00Z", "2026-03-02T07:00:00Z")),
    ] {
        check(&hours(name, every_day("08:00", "16:00")), "2026-03-02", "2026-03-02", &[expected]);
    }
}

#[test]
fn a_day_may_have_a_break() {
    let mut week = every_day("08:00", "12:00");
    week.extend(every_day("13:00", "17:00"));
    check(
        &hours("Asia/Jakarta", week),
        "2026-03-02",
        "2026-03-02",
        &[("2026-03-02T01:00:00Z", "2026-03-02T05:00:00Z"), ("2026-03-02T06:00:00Z", "2026-03-02T10:00:00Z")],
    );
}

#[test]
fn an_interval_over_midnight_belongs_to_both_days_and_is_whole() {
    let friday_night = WeeklyInterval { day: Weekday::Friday, opens: wall("22:00"), closes: wall("02:00") };
    let hours = hours("Asia/Jakarta", vec![friday_night]);
    let night = ("2026-03-06T15:00:00Z", "2026-03-06T19:00:00Z");
    check(&hours, "2026-03-06", "2026-03-06", &[night]);
    check(&hours, "2026-03-07", "2026-03-07", &[night]);
    check(&hours, "2026-03-05", "2026-03-05", &[]);
    check(&hours, "2026-03-08", "2026-03-08", &[]);
}

#[test]
fn a_clinic_that_never_closes_has_no_seam() {
    let open = hours("Asia/Jakarta", every_day("00:00", "00:00")).open_between(date("2026-03-02"), date("2026-03-04"));
    assert_eq!(open.len(), 1);
}

#[test]
fn an_exception_replaces_the_day_but_not_the_night_before() {
    let mut hours = hours("Asia/Jakarta", every_day("20:00", "02:00"));
    hours.exceptions.push(HourException {
        date: date("2026-03-03"),
        intervals: vec![DayInterval { opens: wall("10:00"), closes: wall("12:00") }],
        note: None,
    });
    hours.exceptions.push(HourException {
        date: date("2026-03-04"),
        intervals: Vec::new(),
        note: Some("Nyepi".into()),
    });
    check(
        &hours,
        "2026-03-03",
        "2026-03-04",
        &[("2026-03-02T13:00:00Z", "2026-03-02T19:00:00Z"), ("2026-03-03T03:00:00Z", "2026-03-03T05:00:00Z")],
    );
}

#[test]
fn clocks_put_forward_skip_what_lies_in_the_gap() {
    // Europe/Berlin, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC.
    let day = |opens, closes| hours("Europe/Berlin", every_day(opens, closes));
    check(&day("02:30", "05:00"), "2026-03-29", "2026-03-29", &[("2026-03-29T01:00:00Z", "2026-03-29T03:00:00Z")]);
    check(&day("01:00", "02:30"), "2026-03-29", "2026-03-29", &[("2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z")]);
    check(&day("02:10", "02:50"), "2026-03-29", "2026-03-29", &[]);
}

#[test]
fn clocks_put_back_open_at_the_first_and_close_at_the_second() {
    // Europe/Berlin, 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC, so 02:30 is at 00:30 and at 01:30 UTC.
    let day = |opens, closes| hours("Europe/Berlin", every_day(opens, closes));
    check(&day("02:30", "05:00"), "2026-10-25", "2026-10-25", &[("2026-10-25T00:30:00Z", "2026-10-25T04:00:00Z")]);
    check(&day("01:00", "02:30"), "2026-10-25", "2026-10-25", &[("2026-10-24T23:00:00Z", "2026-10-25T01:30:00Z")]);
}

#[test]
fn a_date_that_a_zone_skipped_altogether_is_no_day() {
    // Samoa had no 30 December 2011.
    let gap_day = date("2011-12-30").and_hms_opt(12, 0, 0).unwrap();
    let expected = DateTime::parse_from_rfc3339("2011-12-30T10:00:00Z").unwrap();
    assert_eq!(opening_instant(zone("Pacific/Apia"), gap_day), expected);
    assert_eq!(closing_instant(zone("Pacific/Apia"), gap_day), expected);
}

#[test]
fn a_week_of_ones_own_only_narrows_the_clinics_hours() {
    let clinic = hours("Asia/Jakarta", every_day("08:00", "16:00"));
    let here = ClinicId::new();
    let interval = |day, clinic_id| WorkingInterval { day, opens: wall("12:00"), closes: wall("20:00"), clinic_id };
    let monday_late = [interval(Weekday::Monday, None), interval(Weekday::Tuesday, Some(ClinicId::new()))];
    let worked = |week: Option<&[WorkingInterval]>, exceptions: &[WorkingException]| {
        clinic.worked_between(here, OwnHours { week, exceptions }, date("2026-03-02"), date("2026-03-03"))
    };
    let instant = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc);
    let expected = OpenInterval { from: instant("2026-03-02T05:00:00Z"), to: instant("2026-03-02T09:00:00Z") };
    assert_eq!(worked(Some(&monday_late), &[]), [expected]);
    assert!(worked(Some(&[]), &[]).is_empty());
    assert_eq!(worked(None, &[]).len(), 2);
    let on_leave = [WorkingException { date: date("2026-03-02"), intervals: Vec::new() }];
    assert!(worked(Some(&monday_late), &on_leave).is_empty());
    assert_eq!(worked(None, &on_leave).len(), 1);
}

#[test]
fn unsound_hours_are_refused() {
    let sound = |weekly: Vec<WeeklyInterval>| hours("Asia/Jakarta", weekly).validate().is_ok();
    assert!(sound(every_day("08:00", "16:00")));
    assert!(sound(every_day("00:00", "00:00")));
    assert!(sound(every_day("22:00", "06:00")));

    let mut overlapping = every_day("08:00", "16:00");
    overlapping.push(WeeklyInterval { day: Weekday::Monday, opens: wall("15:59"), closes: wall("17:00") });
    assert!(!sound(overlapping));

    // Sunday night runs into Monday morning.
    let around_the_week = vec![
        WeeklyInterval { day: Weekday::Monday, opens: wall("01:00"), closes: wall("05:00") },
        WeeklyInterval { day: Weekday::Sunday, opens: wall("22:00"), closes: wall("02:00") },
    ];
    assert!(!sound(around_the_week));

    let mut twice = hours("Asia/Jakarta", Vec::new());
    let closed = HourException { date: date("2026-03-03"), intervals: Vec::new(), note: None };
    twice.exceptions = vec![closed.clone(), closed];
    assert!(twice.validate().is_err());
}

fn any_wall_time() -> impl Strategy<Value = WallTime> {
    (0_u16..24, 0_u16..60).prop_map(|(hour, minute)| WallTime::new(hour, minute).unwrap())
}

fn any_week() -> impl Strategy<Value = Vec<WeeklyInterval>> {
    let interval = (0_usize..7, any_wall_time(), any_wall_time()).prop_map(|(day, opens, closes)| WeeklyInterval {
        day: Weekday::ALL[day],
        opens,
        closes,
    });
    prop::collection::vec(interval, 0..12)
}

fn any_hours() -> impl Strategy<Value = OpeningHours> {
    let zones =
        ["Asia/Jakarta", "Asia/Jayapura", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"];
    (0..zones.len(), any_week()).prop_map(move |(index, week)| hours(zones[index], week))
}

fn any_date() -> impl Strategy<Value = NaiveDate> {
    (0_u64..12_000).prop_map(|days| date("2005-01-01") + Days::new(days))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn open_intervals_are_in_order_apart_and_never_empty(hours in any_hours(), first in any_date(), days in 0_u64..31) {
        let open = hours.open_between(first, first + Days::new(days));
        prop_assert!(open.iter().all(|interval| interval.from < interval.to));
        prop_assert!(open.windows(2).all(|pair| pair[0].to < pair[1].from));
    }

    #[test]
    fn a_longer_question_knows_all_that_a_shorter_one_does(hours in any_hours(), first in any_date(), days in 0_u64..20) {
        let day = first + Days::new(days / 2);
        let whole = hours.open_between(first, first + Days::new(days));
        for interval in hours.open_between(day, day) {
            prop_assert!(whole.iter().any(|longer| longer.contains(interval.from, interval.to)));
        }
    }

    #[test]
    fn nobody_works_while_the_clinic_is_closed(hours in any_hours(), own_week in any_week(), day in any_date()) {
        let open = hours.open_between(day, day);
        let week: Vec<WorkingInterval> = own_week
            .iter()
            .map(|own| WorkingInterval { day: own.day, opens: own.opens, closes: own.closes, clinic_id: None })
            .collect();
        let own = OwnHours { week: Some(&week), exceptions: &[] };
        for worked in hours.worked_between(ClinicId::new(), own, day, day) {
            prop_assert!(open.iter().any(|interval| interval.contains(worked.from, worked.to)));
        }
    }

    #[test]
    fn an_opening_is_never_before_its_wall_time(hours in any_hours(), day in any_date(), time in any_wall_time()) {
        let wall = day.and_time(time.to_naive());
        let shown = |instant: Instant| instant.with_timezone(&hours.time_zone.0).naive_local();
        let opening = opening_instant(hours.time_zone, wall);
        let closing = closing_instant(hours.time_zone, wall);
        prop_assert!(opening <= closing);
        prop_assert!(shown(opening) >= wall);
        prop_assert!(shown(closing) >= wall);
        // One second earlier the clock had not come that far, or had not been put back yet.
        prop_assert!(shown(opening - Duration::seconds(1)) < wall);
    }
}
