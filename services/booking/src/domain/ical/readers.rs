//! What a calendar says is what other people's programs read in it: here two libraries in Python, which
//! `tests/calendar_check.py` runs.

use super::{Visit, feed};
use chrono::Duration;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use subjects::booking::BookingStatus;
use subjects::ids::BookingId;
use subjects::time::{Instant, TimeZone};

#[derive(Deserialize)]
struct Read {
    errors: Vec<String>,
    zones: Vec<String>,
    events: BTreeMap<String, ReadEvent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReadEvent {
    starts_at: Instant,
    ends_at: Instant,
    starts_at_by_own_zones: Instant,
    ends_at_by_own_zones: Instant,
    starts_at_by_built_zones: Instant,
    ends_at_by_built_zones: Instant,
    zone: Option<String>,
    summary: String,
    location: Option<String>,
    description: String,
    status: String,
    sequence: i64,
    stamp: Instant,
    created: Instant,
    modified: Instant,
    occurrences: Vec<Instant>,
}

/// What Python reads in a calendar.
fn read(text: &str) -> Read {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/calendar_check.py");
    let mut python = Command::new(testkit::python().unwrap())
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The script reads all of it before it writes.
    python.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn at(text: &str) -> Instant {
    text.parse().unwrap()
}

fn visit(zone: &str, starts_at: Instant, minutes: i64) -> Visit {
    Visit {
        id: BookingId::new(),
        reference: "7H2K9QXA".into(),
        version: 1,
        status: BookingStatus::Confirmed,
        service_name: "Vaccination".into(),
        pet_name: Some("Milo".into()),
        clinic_name: Some("Klinik Satwa".into()),
        starts_at,
        ends_at: starts_at + Duration::minutes(minutes),
        time_zone: TimeZone::parse(zone).unwrap(),
        created_at: at("2026-09-01T08:00:00Z"),
        updated_at: at("2026-09-02T09:30:15Z"),
    }
}

/// Reads a calendar of visits and compares every instant and text with what was booked.
fn check(visits: &[Visit]) -> Read {
    let text = feed(visits);
    for line in text.strip_suffix("\r\n").unwrap().split("\r\n") {
        assert!(line.len() <= 75 && !line.contains(['\r', '\n']), "{line:?}");
    }
    let read = read(&text);
    assert_eq!(read.errors, Vec::<String>::new());
    assert_eq!(read.events.len(), visits.len());
    for visit in visits {
        let event = &read.events[&format!("{}@petpro", visit.id)];
        let place = format!("{} {}", visit.time_zone.name(), visit.starts_at);
        let starts = [event.starts_at, event.starts_at_by_own_zones, event.starts_at_by_built_zones];
        assert_eq!(starts, [visit.starts_at; 3], "{place}");
        let ends = [event.ends_at, event.ends_at_by_own_zones, event.ends_at_by_built_zones];
        assert_eq!(ends, [visit.ends_at; 3], "{place}");
        assert_eq!(event.occurrences, [visit.starts_at], "{place}");
        assert!(event.zone.as_deref().is_none_or(|zone| zone == visit.time_zone.name()));
        let summary = match &visit.pet_name {
            Some(pet_name) => format!("{}: {pet_name}", visit.service_name),
            None => visit.service_name.clone(),
        };
        assert_eq!(event.summary, as_text(&summary));
        assert_eq!(event.location, visit.clinic_name.as_deref().map(as_text));
        assert_eq!(event.description, visit.reference);
        assert_eq!(event.sequence, visit.version - 1);
        assert_eq!((event.stamp, event.created), (visit.updated_at, visit.created_at));
        assert_eq!(event.modified, visit.updated_at);
    }
    read
}

/// A text as iCalendar can hold it: lines end one way.
fn as_text(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Visits of 45 minutes that begin every quarter of an hour for three hours before and after.
fn around(zone: &str, change: &str) -> Vec<Visit> {
    (-12..=12).map(|quarters| visit(zone, at(change) + Duration::minutes(15 * quarters), 45)).collect()
}

#[test]
fn every_instant_around_a_change_of_the_clocks_is_read_as_it_was_booked() {
    let changes = [
        ("Europe/Berlin", "2026-10-25T01:00:00Z"),
        ("Europe/Berlin", "2027-03-28T01:00:00Z"),
        ("Europe/Dublin", "2026-10-25T01:00:00Z"),
        // By half an hour.
        ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
        ("Australia/Lord_Howe", "2027-04-03T15:00:00Z"),
        ("America/New_York", "2026-11-01T06:00:00Z"),
        // None, and three of them.
        ("Asia/Jakarta", "2026-12-31T17:00:00Z"),
        ("Asia/Makassar", "2026-12-31T16:00:00Z"),
        ("Asia/Jayapura", "2026-12-31T15:00:00Z"),
    ];
    let visits: Vec<Visit> = changes.iter().flat_map(|(zone, change)| around(zone, change)).collect();
    let read = check(&visits);
    let zones: Vec<&str> = read.zones.iter().map(String::as_str).collect();
    let expected = [
        "America/New_York",
        "Asia/Jakarta",
        "Asia/Jayapura",
        "Asia/Makassar",
        "Australia/Lord_Howe",
        "Europe/Berlin",
        "Europe/Dublin",
    ];
    assert_eq!(zones, expected);
}

#[test]
fn only_a_time_that_comes_twice_is_told_in_utc() {
    // In Berlin the clocks show 02:00 to 03:00 twice on that day.
    let visits = [
        ("2026-10-24T23:00:00Z", 60, None),
        ("2026-10-25T00:00:00Z", 30, Some("first")),
        ("2026-10-25T01:00:00Z", 30, Some("second")),
        ("2026-10-25T02:00:00Z", 30, None),
        ("2027-03-28T00:59:00Z", 1, None),
    ];
    for (starts_at, minutes, which) in visits {
        let made = visit("Europe/Berlin", at(starts_at), minutes);
        let read = check(std::slice::from_ref(&made));
        let zone = read.events.into_values().next().unwrap().zone;
        // The first one ends with the time that comes twice.
        let is_utc = which.is_some() || starts_at == "2026-10-24T23:00:00Z";
        assert_eq!(zone.is_none(), is_utc, "{starts_at}");
    }
}

#[test]
fn years_are_bridged_and_what_is_far_off_is_told_in_utc() {
    let zone = "Europe/Berlin";
    let years = [2026, 2027, 2029, 2031, 2032, 2090, 2199];
    let visits: Vec<Visit> = years
        .iter()
        .flat_map(|year| ["01-01T00:00", "07-01T12:00", "12-31T23:30"].map(|day| format!("{year}-{day}:00Z")))
        .map(|starts_at| visit(zone, at(&starts_at), 45))
        .collect();
    let read = check(&visits);
    let zone_of = |visit: &Visit| read.events[&format!("{}@petpro", visit.id)].zone.clone();
    assert_eq!(zone_of(&visits[1]).as_deref(), Some(zone));
    assert_eq!(zone_of(visits.last().unwrap()), None);
}

#[test]
fn texts_are_read_as_they_were_written() {
    let names = [
        r"Cut, wash; dry \ brush: all \n of it",
        "line one\nline two\r\nline three\rEND:VEVENT",
        "\"quoted\" ^caret^ and\ttab",
        &"猫の健康診断と予防接種、".repeat(10),
        &"🐈‍⬛🐕".repeat(20),
        &"x".repeat(120),
        &r"\".repeat(120),
        "  spaces around  ",
        "Żółć – größer ﷽ עִבְרִית",
    ];
    let visits: Vec<Visit> = names
        .iter()
        .enumerate()
        .map(|(place, name)| {
            let starts_at = at("2026-10-20T07:00:00Z") + Duration::hours(i64::try_from(place).unwrap());
            let mut named = visit("Asia/Jakarta", starts_at, 30);
            named.service_name = (*name).to_owned();
            named.pet_name = (place % 3 > 0).then(|| (*name).to_owned());
            named.clinic_name = (place % 2 == 0).then(|| (*name).to_owned());
            named
        })
        .collect();
    check(&visits);
}

#[test]
fn every_status_has_its_word() {
    let words = [
        (BookingStatus::Pending, "TENTATIVE"),
        (BookingStatus::Confirmed, "CONFIRMED"),
        (BookingStatus::Completed, "CONFIRMED"),
        (BookingStatus::NoShow, "CONFIRMED"),
        (BookingStatus::Cancelled, "CANCELLED"),
    ];
    for (status, word) in words {
        let mut visit = visit("Asia/Jakarta", at("2026-10-20T07:00:00Z"), 30);
        visit.status = status;
        visit.version = 7;
        let read = check(&[visit]);
        assert_eq!(read.events.into_values().next().unwrap().status, word);
    }
}

#[test]
fn a_calendar_fits_into_a_message_and_is_whole() {
    assert_eq!(check(&[]).zones, Vec::<String>::new());
    let many: Vec<Visit> =
        (0..2_000).map(|hour| visit("Asia/Jakarta", at("2026-10-20T07:00:00Z") + Duration::hours(hour), 30)).collect();
    assert_eq!(read(&feed(&many)).events.len(), 2_000);

    let mut long_names = many.clone();
    for visit in &mut long_names {
        visit.service_name = "🐈\\\"".repeat(40);
        visit.clinic_name = Some("🐈\\\"".repeat(40));
    }
    let text = feed(&long_names);
    assert!(serde_json::to_string(&text).unwrap().len() < 1_000_000);
    let shown = read(&text).events.len();
    assert!((500..2_000).contains(&shown), "{shown}");
    assert_eq!(text, feed(&long_names), "the same visits make the same text");
}
