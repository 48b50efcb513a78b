//! Opening hours as wall clocks, and the pure arithmetic that turns them into instants.
//!
//! The arithmetic lives here, in the contract, rather than in the vendor service: the vendor service answers
//! `vendor.availability` with it, and the booking service falls back on its read model of the same hours when the
//! vendor service is away. Both must come to the same instants, through every change of the clocks, so there is
//! one piece of code for it. It does no I/O.

use super::opening_rules;
use super::wall_time::WallTime;
use crate::rules;
use crate::time::{Instant, TimeZone};
use chrono::{Datelike, Days, Duration, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Utc};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many intervals a week may have at the most.
pub const MAX_WEEKLY_INTERVALS: usize = 70;
/// How many dated exceptions a schedule may have at the most.
pub const MAX_EXCEPTIONS: usize = 400;

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Weekday {
    /// Every day, Monday first (ISO 8601).
    pub const ALL: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];

    /// The day's number from Monday, 0, to Sunday, 6.
    pub const fn number_from_monday(self) -> u8 {
        self as u8
    }

    /// The day of a date.
    pub fn of(date: NaiveDate) -> Weekday {
        match date.weekday() {
            chrono::Weekday::Mon => Weekday::Monday,
            chrono::Weekday::Tue => Weekday::Tuesday,
            chrono::Weekday::Wed => Weekday::Wednesday,
            chrono::Weekday::Thu => Weekday::Thursday,
            chrono::Weekday::Fri => Weekday::Friday,
            chrono::Weekday::Sat => Weekday::Saturday,
            chrono::Weekday::Sun => Weekday::Sunday,
        }
    }
}

/// An interval that comes back every week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub struct WeeklyInterval {
    /// The day on which it opens.
    pub day: Weekday,
    /// When it opens.
    pub opens: WallTime,
    /// When it closes. At or before `opens` it is a time of the next day: `00:00` is midnight at the end of the
    /// day, and `00:00` to `00:00` the whole day.
    pub closes: WallTime,
}

/// An interval of one date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub struct DayInterval {
    /// When it opens.
    pub opens: WallTime,
    /// When it closes; at or before `opens` it is a time of the next day.
    pub closes: WallTime,
}

impl DayInterval {
    /// From midnight to midnight.
    pub(super) const WHOLE_DAY: DayInterval = DayInterval { opens: WallTime::MIDNIGHT, closes: WallTime::MIDNIGHT };

    /// How long it is on the wall, in minutes: from 1 to a whole day.
    pub(super) fn wall_minutes(self) -> u16 {
        let opens = self.opens.minute_of_day();
        let closes = self.closes.minute_of_day();
        if closes > opens { closes - opens } else { closes + WallTime::MINUTES_PER_DAY - opens }
    }
}

/// What replaces the weekly intervals on one date. An interval that opened the evening before still ends as it
/// would have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct HourException {
    /// The date, in the clinic's zone.
    #[garde(custom(rules::sensible_date))]
    pub date: NaiveDate,
    /// When the clinic is open on that date; empty: closed.
    #[serde(default)]
    #[garde(length(max = 10), custom(opening_rules::day_intervals_apart))]
    pub intervals: Vec<DayInterval>,
    /// Why, for everybody to read: a public holiday's name, for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 120), custom(rules::readable_if_present))]
    pub note: Option<String>,
}

/// When a clinic is open: wall clocks and the zone in which they hang.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct OpeningHours {
    /// The zone of all times in it.
    #[garde(skip)]
    pub time_zone: TimeZone,
    /// The usual week. Several intervals a day are possible; none may overlap.
    #[garde(length(max = MAX_WEEKLY_INTERVALS), custom(opening_rules::weekly_intervals_apart))]
    pub weekly: Vec<WeeklyInterval>,
    /// The dates on which it is otherwise, each at most once.
    #[garde(length(max = MAX_EXCEPTIONS), dive, custom(opening_rules::exceptions_on_distinct_dates))]
    pub exceptions: Vec<HourException>,
}

/// A stretch of time, from inclusive, to exclusive, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenInterval {
    /// The first instant in it.
    pub from: Instant,
    /// The first instant after it.
    pub to: Instant,
}

impl OpenInterval {
    /// Whether a stretch of time lies wholly within it.
    pub fn contains(&self, from: Instant, to: Instant) -> bool {
        self.from <= from && to <= self.to
    }
}

impl OpeningHours {
    /// The instants between which the clinic is open: every interval that touches the dates `first` to `last`,
    /// both inclusive, in order and apart.
    ///
    /// Intervals are whole: one that begins on the evening before `first`, or ends after midnight of `last`, is
    /// not cut there, and intervals that meet are one, so that a clinic which never closes has no seam at midnight.
    ///
    /// When clocks change: an opening that the clocks skip happens when they have been put forward, and so does a
    /// closing; where a wall time comes twice, an opening is the first and a closing the second of them.
    pub fn open_between(&self, first: NaiveDate, last: NaiveDate) -> Vec<OpenInterval> {
        open_between(self.time_zone, first, last, |date| self.day_intervals(date))
    }

    /// The date in the clinic's zone at an instant.
    pub fn local_date(&self, instant: Instant) -> NaiveDate {
        instant.with_timezone(&self.time_zone.0).date_naive()
    }

    fn day_intervals(&self, date: NaiveDate) -> Vec<DayInterval> {
        match self.exceptions.iter().find(|exception| exception.date == date) {
            Some(exception) => exception.intervals.clone(),
            None => weekly_intervals_of(&self.weekly, date),
        }
    }
}

/// The stretches of time that lie within both lists; each list is in order and its intervals apart.
pub fn intersect(left: &[OpenInterval], right: &[OpenInterval]) -> Vec<OpenInterval> {
    let mut common = Vec::new();
    for one in left {
        for other in right {
            let from = one.from.max(other.from);
            let to = one.to.min(other.to);
            if from < to {
                common.push(OpenInterval { from, to });
            }
        }
    }
    common
}

fn weekly_intervals_of(week: &[WeeklyInterval], date: NaiveDate) -> Vec<DayInterval> {
    let weekday = Weekday::of(date);
    week.iter()
        .filter(|interval| interval.day == weekday)
        .map(|interval| DayInterval { opens: interval.opens, closes: interval.closes })
        .collect()
}

pub(super) fn open_between(
    time_zone: TimeZone,
    first: NaiveDate,
    last: NaiveDate,
    day_intervals: impl Fn(NaiveDate) -> Vec<DayInterval>,
) -> Vec<OpenInterval> {
    let (Some(day_before), Some(day_after)) =
        (first.checked_sub_days(Days::new(1)), last.checked_add_days(Days::new(1)))
    else {
        return Vec::new();
    };
    let range_from = opening_instant(time_zone, day_before_end(first));
    let range_to = opening_instant(time_zone, day_before_end(day_after));

    // One more day on both sides, so that what crosses midnight is whole.
    let mut intervals = Vec::new();
    for date in day_before.iter_days().take_while(|date| *date <= day_after) {
        for day_interval in day_intervals(date) {
            let opens = date.and_time(day_interval.opens.to_naive());
            let closes = opens + Duration::minutes(i64::from(day_interval.wall_minutes()));
            let from = opening_instant(time_zone, opens);
            let to = closing_instant(time_zone, closes);
            // An interval that the clocks skip as a whole is none.
            if from < to {
                intervals.push(OpenInterval { from, to });
            }
        }
    }
    intervals.sort_unstable();
    let mut merged = merge(intervals);
    merged.retain(|interval| interval.from < range_to && interval.to > range_from);
    merged
}

/// The wall time at which a date begins and the one before it ends.
fn day_before_end(date: NaiveDate) -> NaiveDateTime {
    date.and_time(NaiveTime::MIN)
}

/// Joins intervals that overlap or meet; they are in order.
fn merge(intervals: Vec<OpenInterval>) -> Vec<OpenInterval> {
    let mut merged: Vec<OpenInterval> = Vec::with_capacity(intervals.len());
    for interval in intervals {
        match merged.last_mut() {
            Some(previous) if interval.from <= previous.to => previous.to = previous.to.max(interval.to),
            _ => merged.push(interval),
        }
    }
    merged
}

/// The instant of an opening: where the wall time comes twice, the first.
pub fn opening_instant(time_zone: TimeZone, wall: NaiveDateTime) -> Instant {
    match time_zone.0.from_local_datetime(&wall) {
        MappedLocalTime::Single(only) => only.with_timezone(&Utc),
        MappedLocalTime::Ambiguous(first, _) => first.with_timezone(&Utc),
        MappedLocalTime::None => end_of_gap(time_zone, wall),
    }
}

/// The instant of a closing: where the wall time comes twice, the second.
pub fn closing_instant(time_zone: TimeZone, wall: NaiveDateTime) -> Instant {
    match time_zone.0.from_local_datetime(&wall) {
        MappedLocalTime::Single(only) => only.with_timezone(&Utc),
        MappedLocalTime::Ambiguous(_, second) => second.with_timezone(&Utc),
        MappedLocalTime::None => end_of_gap(time_zone, wall),
    }
}

/// The instant at which the clocks jump over `wall`: the first whose wall time is not before it.
fn end_of_gap(time_zone: TimeZone, wall: NaiveDateTime) -> Instant {
    // No zone has ever been further than 16 hours from UTC, so the jump lies within.
    let mut before = wall.and_utc() - Duration::hours(26);
    let mut after = wall.and_utc() + Duration::hours(26);
    while after - before > Duration::seconds(1) {
        let middle = before + Duration::seconds((after - before).num_seconds() / 2);
        if middle.with_timezone(&time_zone.0).naive_local() < wall {
            before = middle;
        } else {
            after = middle;
        }
    }
    after
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
