//! Time zones in iCalendar (RFC 5545, 3.6.5): every change of the clocks in the years of a calendar, by itself.

use super::lines::Lines;
use chrono::{DateTime, Datelike, Duration, MappedLocalTime, NaiveDateTime, Offset, TimeZone as _, Utc};
use chrono_tz::{OffsetComponents, OffsetName, Tz};
use subjects::time::{Instant, TimeZone};

/// How local times are written.
const LOCAL: &str = "%Y%m%dT%H%M%S";
/// How instants are written.
const UTC: &str = "%Y%m%dT%H%M%SZ";

/// The years for which the zones of a calendar are described.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    from: Instant,
    to: Instant,
}

impl Span {
    /// How many years are described at the most, the first one's rest included.
    const MOST_YEARS: i32 = 6;

    /// Whole years around two instants, as far as they are described: a calendar then changes when its visits do, and
    /// otherwise seldom.
    pub fn around(first: Instant, last: Instant) -> Span {
        // The first day of a year may be the last of the year before in UTC, and the other way round.
        let first_year = (first - Duration::days(1)).year();
        let last_year = (last + Duration::days(1)).year().min(first_year + Self::MOST_YEARS - 1);
        Span { from: new_year(first_year).unwrap_or(first), to: new_year(last_year + 1).unwrap_or(last) }
    }

    /// Whether times of a period can be told by a zone's clocks: within the years that are described.
    fn covers(self, starts_at: Instant, ends_at: Instant) -> bool {
        self.from <= starts_at && ends_at < self.to - Duration::days(1)
    }
}

fn new_year(year: i32) -> Option<Instant> {
    Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).single()
}

/// An instant in UTC.
pub fn instant(at: Instant) -> String {
    at.format(UTC).to_string()
}

/// Writes when something begins and ends, by the zone's clocks. Where a wall clock shows one of the times twice, both
/// are in UTC: RFC 5545 means the first of the two, but not all readers do, and the second has no other form.
pub fn period(lines: &mut Lines, zone: TimeZone, starts_at: Instant, ends_at: Instant, span: Span) {
    let clocks = (wall_clock(zone.0, starts_at), wall_clock(zone.0, ends_at));
    if let (Some(start), Some(end)) = clocks
        && span.covers(starts_at, ends_at)
    {
        let name = zone.name();
        lines.plain(&format!("DTSTART;TZID={name}:{}", start.format(LOCAL)));
        lines.plain(&format!("DTEND;TZID={name}:{}", end.format(LOCAL)));
    } else {
        lines.plain(&format!("DTSTART:{}", instant(starts_at)));
        lines.plain(&format!("DTEND:{}", instant(ends_at)));
    }
}

/// What the wall clock shows, unless it shows that twice.
fn wall_clock(zone: Tz, at: Instant) -> Option<NaiveDateTime> {
    let local = at.with_timezone(&zone).naive_local();
    matches!(zone.from_local_datetime(&local), MappedLocalTime::Single(_)).then_some(local)
}

/// Writes the VTIMEZONE of a zone.
pub fn describe(lines: &mut Lines, zone: TimeZone, span: Span) {
    lines.plain("BEGIN:VTIMEZONE");
    lines.plain(&format!("TZID:{}", zone.name()));
    // As the clocks stand at the beginning, from there on.
    let beginning = span.from.with_timezone(&zone.0);
    observance(lines, &beginning, seconds(&beginning));
    let mut before = beginning;
    while let Some(change) = next_change(zone.0, before.with_timezone(&Utc), span.to) {
        let after = change.with_timezone(&zone.0);
        observance(lines, &after, seconds(&before));
        before = after;
    }
    lines.plain("END:VTIMEZONE");
}

/// One change of the clocks. Its beginning is told by the clocks as they were before it.
fn observance(lines: &mut Lines, after: &DateTime<Tz>, seconds_before: i32) {
    let is_summer = after.offset().dst_offset() > Duration::zero();
    let kind = if is_summer { "DAYLIGHT" } else { "STANDARD" };
    let by_the_old_clocks = after.naive_utc() + Duration::seconds(seconds_before.into());
    lines.plain(&format!("BEGIN:{kind}"));
    lines.plain(&format!("DTSTART:{}", by_the_old_clocks.format(LOCAL)));
    lines.plain(&format!("TZOFFSETFROM:{}", offset(seconds_before)));
    lines.plain(&format!("TZOFFSETTO:{}", offset(seconds(after))));
    if let Some(name) = after.offset().abbreviation() {
        lines.text("TZNAME", name);
    }
    lines.plain(&format!("END:{kind}"));
}

fn seconds(at: &DateTime<Tz>) -> i32 {
    at.offset().fix().local_minus_utc()
}

/// An offset from UTC (3.3.14).
fn offset(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let size = seconds.unsigned_abs();
    let (hours, minutes, rest) = (size / 3_600, size / 60 % 60, size % 60);
    match rest {
        0 => format!("{sign}{hours:02}{minutes:02}"),
        _ => format!("{sign}{hours:02}{minutes:02}{rest:02}"),
    }
}

/// The first instant after `from` and before `to` at which the zone's clocks change. The zone tells its offset at an
/// instant and no more, so a day on which it changes is looked for and halved down to the second. No zone's clocks
/// change and change back within a day.
fn next_change(zone: Tz, from: Instant, to: Instant) -> Option<Instant> {
    let offset_at = |at: Instant| seconds(&at.with_timezone(&zone));
    let (mut same, mut changed) = (from, from);
    while offset_at(changed) == offset_at(same) {
        if changed >= to {
            return None;
        }
        same = changed;
        changed = same + Duration::days(1);
    }
    while changed - same > Duration::seconds(1) {
        let middle = same + Duration::seconds((changed - same).num_seconds() / 2);
        if offset_at(middle) == offset_at(same) { same = middle } else { changed = middle }
    }
    (changed < to).then_some(changed)
}
