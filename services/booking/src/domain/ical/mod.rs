//! Visits as iCalendar (RFC 5545). The same visits make the same text, whenever it is made.
//!
//! Written here and not by a library: those that there are give every component a DTSTAMP and UID, time zones too, let
//! a bare CR through, and write no VTIMEZONE.

mod lines;
#[cfg(test)]
mod readers;
mod zones;

use lines::Lines;
use std::collections::BTreeMap;
use subjects::booking::BookingStatus;
use subjects::ids::BookingId;
use subjects::time::{Instant, TimeZone};
use zones::Span;

/// How many octets of JSON a calendar may become: what a message of the mesh holds, less its envelope.
const LARGEST: usize = 980_000;

/// What a calendar shows of a booking.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The booking's id.
    pub id: BookingId,
    /// Its name for people.
    pub reference: String,
    /// Its version: 1 at first.
    pub version: i64,
    /// Where it stands.
    pub status: BookingStatus,
    /// The service.
    pub service_name: String,
    /// The pet, where it was named in place.
    pub pet_name: Option<String>,
    /// The clinic, where its name is known.
    pub clinic_name: Option<String>,
    /// When it begins.
    pub starts_at: Instant,
    /// When it ends.
    pub ends_at: Instant,
    /// The zone of the clinic's clocks.
    pub time_zone: TimeZone,
    /// When it was booked.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
}

/// The calendar of visits, the first ones where a message could not carry them all.
pub fn feed(visits: &[Visit]) -> String {
    let mut lines = Lines::default();
    for line in [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//PetPro//Bookings//EN",
        "CALSCALE:GREGORIAN",
        "X-WR-CALNAME:PetPro",
        "NAME:PetPro",
        "REFRESH-INTERVAL;VALUE=DURATION:PT15M",
        "X-PUBLISHED-TTL:PT15M",
    ] {
        lines.plain(line);
    }
    let first = visits.iter().map(|visit| visit.starts_at).min();
    let last = visits.iter().map(|visit| visit.ends_at).max();
    let (Some(first), Some(last)) = (first, last) else { return ended(lines.finish()) };
    let span = Span::around(first, last);
    // By name, so that the order does not hang on the visits'.
    let zones: BTreeMap<&str, TimeZone> =
        visits.iter().map(|visit| (visit.time_zone.name(), visit.time_zone)).collect();
    for zone in zones.into_values() {
        zones::describe(&mut lines, zone, span);
    }
    let mut text = lines.finish();
    let mut size = size_as_json(&text);
    for visit in visits {
        let event = event(visit, span);
        size += size_as_json(&event);
        if size > LARGEST {
            break;
        }
        text.push_str(&event);
    }
    ended(text)
}

fn ended(mut text: String) -> String {
    text.push_str("END:VCALENDAR\r\n");
    text
}

/// Line ends, backslashes and quotation marks take two octets in JSON; other controls there are none.
fn size_as_json(text: &str) -> usize {
    text.len() + text.bytes().filter(|octet| matches!(octet, b'\r' | b'\n' | b'\\' | b'"' | b'\t')).count()
}

fn event(visit: &Visit, span: Span) -> String {
    let mut lines = Lines::default();
    lines.plain("BEGIN:VEVENT");
    lines.plain(&format!("UID:{}@petpro", visit.id));
    lines.plain(&format!("DTSTAMP:{}", zones::instant(visit.updated_at)));
    lines.plain(&format!("SEQUENCE:{}", visit.version - 1));
    lines.plain(&format!("CREATED:{}", zones::instant(visit.created_at)));
    lines.plain(&format!("LAST-MODIFIED:{}", zones::instant(visit.updated_at)));
    zones::period(&mut lines, visit.time_zone, visit.starts_at, visit.ends_at, span);
    match &visit.pet_name {
        Some(pet_name) => lines.text("SUMMARY", &format!("{}: {pet_name}", visit.service_name)),
        None => lines.text("SUMMARY", &visit.service_name),
    }
    if let Some(clinic_name) = &visit.clinic_name {
        lines.text("LOCATION", clinic_name);
    }
    lines.plain(&format!("STATUS:{}", status(visit.status)));
    lines.text("DESCRIPTION", &visit.reference);
    lines.plain("END:VEVENT");
    lines.finish()
}

/// What iCalendar has words for (3.8.1.11). A visit that was missed still had its time.
fn status(status: BookingStatus) -> &'static str {
    match status {
        BookingStatus::Pending => "TENTATIVE",
        BookingStatus::Confirmed | BookingStatus::Completed | BookingStatus::NoShow => "CONFIRMED",
        BookingStatus::Cancelled => "CANCELLED",
    }
}
