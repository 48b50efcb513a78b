//! What makes a week, a day and a list of exceptions sound.

use super::opening::{DayInterval, HourException, WeeklyInterval};
use super::wall_time::WallTime;
use super::working::{WorkingException, WorkingInterval};
use chrono::NaiveDate;
use std::collections::BTreeSet;

/// No two intervals of a week overlap, over midnight and over the week's end either.
pub(super) fn weekly_intervals_apart(week: &[WeeklyInterval], _: &()) -> garde::Result {
    let spans: Vec<(u32, u32)> = week
        .iter()
        .map(|interval| {
            let day_start = u32::from(interval.day.number_from_monday()) * u32::from(WallTime::MINUTES_PER_DAY);
            let from = day_start + u32::from(interval.opens.minute_of_day());
            let day_interval = DayInterval { opens: interval.opens, closes: interval.closes };
            (from, from + u32::from(day_interval.wall_minutes()))
        })
        .collect();
    apart(spans, 7 * u32::from(WallTime::MINUTES_PER_DAY))
}

/// The same for the week of a staff member, at whichever clinics: nobody works at two of them at a time.
pub(super) fn working_week_apart_if_present(week: &Option<Vec<WorkingInterval>>, context: &()) -> garde::Result {
    let Some(week) = week else { return Ok(()) };
    let intervals: Vec<WeeklyInterval> = week
        .iter()
        .map(|interval| WeeklyInterval { day: interval.day, opens: interval.opens, closes: interval.closes })
        .collect();
    weekly_intervals_apart(&intervals, context)
}

/// No date has more than one exception of a staff member.
pub(super) fn working_exceptions_on_distinct_dates(exceptions: &[WorkingException], _: &()) -> garde::Result {
    one_each(exceptions.iter().map(|exception| exception.date))
}

/// No two intervals of a date overlap.
pub(super) fn day_intervals_apart(intervals: &[DayInterval], _: &()) -> garde::Result {
    let spans = intervals
        .iter()
        .map(|interval| {
            let from = u32::from(interval.opens.minute_of_day());
            (from, from + u32::from(interval.wall_minutes()))
        })
        .collect();
    // What follows the date is not known here, so nothing wraps around.
    apart(spans, u32::MAX)
}

/// Whether spans of minutes are apart on a circle of `circle` minutes.
fn apart(mut spans: Vec<(u32, u32)>, circle: u32) -> garde::Result {
    spans.sort_unstable();
    let follows = spans.iter().zip(spans.iter().skip(1)).all(|(one, next)| one.1 <= next.0);
    let wraps = match (spans.first(), spans.last()) {
        (Some(first), Some(last)) => last.1.saturating_sub(circle) <= first.0,
        _ => true,
    };
    if follows && wraps { Ok(()) } else { Err(garde::Error::new("intervals must not overlap")) }
}

/// No date has more than one exception.
pub(super) fn exceptions_on_distinct_dates(exceptions: &[HourException], _: &()) -> garde::Result {
    one_each(exceptions.iter().map(|exception| exception.date))
}

fn one_each(dates: impl Iterator<Item = NaiveDate>) -> garde::Result {
    let mut seen = BTreeSet::new();
    for date in dates {
        if !seen.insert(date) {
            return Err(garde::Error::new("a date must not have more than one exception"));
        }
    }
    Ok(())
}
