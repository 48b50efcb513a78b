//! When a staff member works: their own week and dates, within the hours of the clinic at which they are.

use super::opening::{DayInterval, OpenInterval, OpeningHours, Weekday, intersect, open_between};
use super::opening_rules;
use super::wall_time::WallTime;
use crate::ids::ClinicId;
use crate::rules;
use chrono::NaiveDate;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many dates of their own a staff member may have at the most.
pub const MAX_WORKING_EXCEPTIONS: usize = 400;

/// An interval of a staff member's week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub struct WorkingInterval {
    /// The day on which it begins.
    pub day: Weekday,
    /// When it begins, in the clinic's zone.
    pub opens: WallTime,
    /// When it ends; at or before `opens` it is a time of the next day.
    pub closes: WallTime,
    /// The clinic at which they work then; absent: at whichever of theirs they are booked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clinic_id: Option<ClinicId>,
}

/// What replaces a staff member's week on one date, at all of their clinics: leave, or other hours than usual.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct WorkingException {
    /// The date, in the clinic's zone.
    #[garde(custom(rules::sensible_date))]
    pub date: NaiveDate,
    /// When they work on that date; empty: not at all.
    #[serde(default)]
    #[garde(length(max = 10), custom(opening_rules::day_intervals_apart))]
    pub intervals: Vec<DayInterval>,
}

/// A staff member's own hours.
#[derive(Debug, Clone, Copy)]
pub struct OwnHours<'a> {
    /// Their week; none: whenever the clinic is open.
    pub week: Option<&'a [WorkingInterval]>,
    /// Their dates.
    pub exceptions: &'a [WorkingException],
}

impl OpeningHours {
    /// The intervals in which a staff member works at a clinic with these hours, between two dates: the clinic's open
    /// time, and where the staff member has hours of their own, only what lies within both.
    ///
    /// As with [`OpeningHours::open_between`], intervals that touch the dates are whole.
    pub fn worked_between(
        &self,
        clinic_id: ClinicId,
        own: OwnHours<'_>,
        first: NaiveDate,
        last: NaiveDate,
    ) -> Vec<OpenInterval> {
        let open = self.open_between(first, last);
        if own.week.is_none() && own.exceptions.is_empty() {
            return open;
        }
        let worked = open_between(self.time_zone, first, last, |date| own.day_intervals(clinic_id, date));
        intersect(&open, &worked)
    }
}

impl OwnHours<'_> {
    fn day_intervals(&self, clinic_id: ClinicId, date: NaiveDate) -> Vec<DayInterval> {
        if let Some(exception) = self.exceptions.iter().find(|exception| exception.date == date) {
            return exception.intervals.clone();
        }
        let Some(week) = self.week else { return vec![DayInterval::WHOLE_DAY] };
        let weekday = Weekday::of(date);
        week.iter()
            .filter(|interval| interval.day == weekday)
            .filter(|interval| interval.clinic_id.is_none_or(|at| at == clinic_id))
            .map(|interval| DayInterval { opens: interval.opens, closes: interval.closes })
            .collect()
    }
}
