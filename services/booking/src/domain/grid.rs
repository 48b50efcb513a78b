//! Where slots may begin. They are counted in elapsed minutes from the beginning of each working interval. An interval
//! of 24 hours or more, which has no beginning that anybody would think of, starts its grid anew at each local midnight.

use chrono::{Days, Duration, NaiveTime};
use subjects::time::{Instant, TimeZone};
use subjects::vendor::OpenInterval;
use subjects::vendor::opening::opening_instant;

/// From how many hours on an interval is counted from midnight to midnight.
const LONG_HOURS: i64 = 24;
/// How many dates more than those asked for have to be known on both sides, so that an interval that goes on beyond
/// what is known is seen to be a long one: its grid then does not depend on where the known part begins.
pub const DATES_AROUND: u64 = 2;

/// A part of a working interval that has one grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// The first point of the grid.
    pub from: Instant,
    /// The first instant to which the grid does not reach.
    pub to: Instant,
    /// When work ends: a visit that begins in the stretch may go on into the next ones of the same interval.
    pub work_ends: Instant,
}

impl Stretch {
    /// The first point of the grid at `earliest` or later, if there is one.
    pub fn first_start(&self, step: Duration, earliest: Instant) -> Option<Instant> {
        let step_seconds = step.num_seconds().max(1);
        let seconds_late = (earliest - self.from).num_seconds().max(0);
        let point = self.from + Duration::seconds(seconds_late / step_seconds * step_seconds);
        let start = if point < earliest { point + Duration::seconds(step_seconds) } else { point };
        (start < self.to).then_some(start)
    }

    /// Whether a slot may begin there.
    pub fn has_start(&self, step: Duration, starts_at: Instant) -> bool {
        self.from <= starts_at && self.first_start(step, starts_at) == Some(starts_at)
    }
}

/// The parts of a working interval, in order; together they are the interval.
pub fn stretches(time_zone: TimeZone, interval: OpenInterval) -> Vec<Stretch> {
    let OpenInterval { from, to } = interval;
    let mut starts = vec![from];
    if to - from >= Duration::hours(LONG_HOURS) {
        let first_date = from.with_timezone(&time_zone.0).date_naive();
        let midnights = first_date.iter_days().skip(1).map(|date| midnight(time_zone, date));
        for midnight in midnights.take_while(|midnight| *midnight < to) {
            // A date that the zone skipped altogether begins with the next one. Where clocks are put back over
            // midnight, the date's first midnight may lie before the interval.
            if starts.last().is_some_and(|last| *last < midnight) {
                starts.push(midnight);
            }
        }
    }
    let ends = starts.iter().copied().skip(1).chain([to]);
    starts.iter().zip(ends).map(|(start, end)| Stretch { from: *start, to: end, work_ends: to }).collect()
}

/// When a date begins: where its midnight comes twice, the first; where the clocks skip it, when they are put forward.
pub fn midnight(time_zone: TimeZone, date: chrono::NaiveDate) -> Instant {
    opening_instant(time_zone, date.and_time(NaiveTime::MIN))
}

/// The dates that have to be asked for to know the grids of some dates.
pub fn dates_around(first: chrono::NaiveDate, last: chrono::NaiveDate) -> (chrono::NaiveDate, chrono::NaiveDate) {
    let around = Days::new(DATES_AROUND);
    (first.checked_sub_days(around).unwrap_or(first), last.checked_add_days(around).unwrap_or(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::parse(name).unwrap()
    }

    fn interval(from: &str, to: &str) -> OpenInterval {
        OpenInterval { from: from.parse().unwrap(), to: to.parse().unwrap() }
    }

    /// The local times at which the parts of an interval begin.
    fn check(zone_name: &str, from: &str, to: &str, expected: &[&str]) {
        let zone = zone(zone_name);
        let parts = stretches(zone, interval(from, to));
        let local = |instant: Instant| instant.with_timezone(&zone.0).format("%d %H:%M%:z").to_string();
        assert_eq!(parts.iter().map(|part| local(part.from)).collect::<Vec<String>>(), expected);
        assert!(parts.windows(2).all(|pair| pair[0].to == pair[1].from));
        assert!(parts.iter().all(|part| part.from < part.to && part.work_ends == interval(from, to).to));
    }

    #[test]
    fn only_long_intervals_are_counted_from_midnight() {
        check("Asia/Jakarta", "2026-03-02T10:00:00Z", "2026-03-03T09:59:00Z", &["02 17:00+07:00"]);
        check("Asia/Jakarta", "2026-03-02T10:00:00Z", "2026-03-03T10:00:00Z", &["02 17:00+07:00", "03 00:00+07:00"]);
        check("Asia/Jakarta", "2026-03-01T17:00:00Z", "2026-03-03T17:00:00Z", &["02 00:00+07:00", "03 00:00+07:00"]);
    }

    #[test]
    fn a_midnight_that_is_skipped_is_when_clocks_are_put_forward_and_one_that_comes_twice_is_the_first() {
        // Beirut, 29 March 2026: 00:00 becomes 01:00.
        let lebanon = &["28 23:00+02:00", "29 01:00+03:00", "30 00:00+03:00"];
        check("Asia/Beirut", "2026-03-28T21:00:00Z", "2026-03-29T22:00:00Z", lebanon);
        // St. John's, 29 October 2006: 00:01 becomes 23:01 of the day before.
        let newfoundland = &["28 00:00-02:30", "29 00:00-02:30", "30 00:00-03:30"];
        check("America/St_Johns", "2006-10-28T02:30:00Z", "2006-10-30T12:00:00Z", newfoundland);
        // Samoa had no 30 December 2011.
        check("Pacific/Apia", "2011-12-29T10:00:00Z", "2011-12-30T12:00:00Z", &["29 00:00-10:00", "31 00:00+14:00"]);
    }

    #[test]
    fn the_grid_is_counted_in_elapsed_time() {
        let part = stretches(zone("Europe/Berlin"), interval("2026-03-29T00:10:00Z", "2026-03-29T03:00:00Z"))[0];
        let step = Duration::minutes(25);
        let first = |earliest: &str| part.first_start(step, earliest.parse().unwrap()).map(|start| start.to_string());
        assert_eq!(first("2026-03-28T00:00:00Z").unwrap(), "2026-03-29 00:10:00 UTC");
        assert_eq!(first("2026-03-29T00:35:00Z").unwrap(), "2026-03-29 00:35:00 UTC");
        assert_eq!(first("2026-03-29T00:35:00.000001Z").unwrap(), "2026-03-29 01:00:00 UTC");
        assert_eq!(first("2026-03-29T02:40:00.5Z"), None);
        assert!(part.has_start(step, "2026-03-29T01:25:00Z".parse().unwrap()));
        assert!(!part.has_start(step, "2026-03-29T01:24:00Z".parse().unwrap()));
        assert!(!part.has_start(step, "2026-03-28T23:45:00Z".parse().unwrap()));
    }
}
