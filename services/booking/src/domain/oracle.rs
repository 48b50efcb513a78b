//! Free slots, found in the plainest way: minute by minute. It is told what a clock on the wall shows at an instant,
//! and nothing else of time zones, and shares no code with what it judges but the messages.

use chrono::{Datelike as _, Duration, NaiveDate, NaiveTime};
use std::collections::BTreeMap;
use std::ops::Range;
use subjects::ids::{ClinicId, ServiceId, StaffId};
use subjects::time::{Instant, TimeZone};
use subjects::vendor::{DayInterval, OpeningHours, ServiceState, StaffState, WallTime};

const DAY: i64 = 1440;

/// What the clocks of a zone show at each minute of some days. All times here are in minutes: of instants from the
/// first of them, of wall clocks from some midnight.
pub struct Clock {
    first_minute: Instant,
    wall: Vec<i64>,
    dates: Vec<NaiveDate>,
}

/// The minutes of wall clocks from midnight of the common era, so that those of different dates compare.
fn wall_minute(date: NaiveDate, time: WallTime) -> i64 {
    i64::from(date.num_days_from_ce()) * DAY + i64::from(time.minute_of_day())
}

impl Clock {
    /// Watches the clocks for some days before and after an instant.
    pub fn watch(zone: TimeZone, around: Instant, days: i64) -> Clock {
        let midnight = around.date_naive().and_time(NaiveTime::MIN).and_utc();
        let first_minute = midnight - Duration::days(days);
        let shown = |minute| (first_minute + Duration::minutes(minute)).with_timezone(&zone.0).naive_local();
        let minutes = 0..(2 * days + 1) * DAY;
        let wall = minutes.map(shown).map(|shown| wall_minute(shown.date(), WallTime::from_naive(shown.time())));
        let dates = (0..=2 * days).map(|day| (first_minute + Duration::days(day)).date_naive()).collect();
        Clock { first_minute, wall: wall.collect(), dates }
    }

    pub fn minute_of(&self, instant: Instant) -> i64 {
        // Rounded up: the first whole minute that is not before it.
        let seconds = (instant - self.first_minute).num_milliseconds();
        seconds.div_euclid(60_000) + i64::from(seconds.rem_euclid(60_000) > 0)
    }

    pub fn instant_of(&self, minute: i64) -> Instant {
        self.first_minute + Duration::minutes(minute)
    }

    /// The minutes at which the clocks could show a time: none of them is put further than a few hours.
    fn around(&self, wall: i64) -> Range<usize> {
        let guess = wall - self.wall[0];
        let clamp = |minute: i64| usize::try_from(minute.clamp(0, self.wall.len() as i64)).unwrap();
        clamp(guess - 4 * 60)..clamp(guess + 4 * 60)
    }

    /// A clock shows it for the first time, or has been put forward over it.
    fn opening(&self, wall: i64) -> usize {
        let around = self.around(wall);
        let shown = around.clone().find(|minute| self.wall[*minute] == wall);
        shown.or_else(|| around.clone().find(|minute| self.wall[*minute] > wall)).unwrap_or(around.end)
    }

    /// A clock shows it for the last time, or has been put forward over it.
    fn closing(&self, wall: i64) -> usize {
        let around = self.around(wall);
        let shown = around.clone().rev().find(|minute| self.wall[*minute] == wall);
        shown.or_else(|| around.clone().find(|minute| self.wall[*minute] > wall)).unwrap_or(around.end)
    }

    /// Whether it is open at each minute, by what holds on each date.
    fn open(&self, of_date: impl Fn(NaiveDate) -> Vec<DayInterval>) -> Vec<bool> {
        let mut open = vec![false; self.wall.len()];
        for date in &self.dates {
            for DayInterval { opens, closes } in of_date(*date) {
                let closes_on = if closes > opens { *date } else { date.succ_opt().unwrap() };
                let minutes = self.opening(wall_minute(*date, opens))..self.closing(wall_minute(closes_on, closes));
                for minute in minutes {
                    open[minute] = true;
                }
            }
        }
        open
    }

    /// Whether the clinic is open and the staff member works at each minute.
    pub fn works(&self, hours: &OpeningHours, clinic_id: ClinicId, member: &StaffState) -> Vec<bool> {
        let clinic = self.open(|date| {
            let exception = hours.exceptions.iter().find(|exception| exception.date == date);
            let weekly = hours.weekly.iter().filter(|interval| is_on(interval.day.number_from_monday(), date));
            let usual = weekly.map(|interval| DayInterval { opens: interval.opens, closes: interval.closes });
            exception.map_or_else(|| usual.collect(), |exception| exception.intervals.clone())
        });
        let always = DayInterval { opens: WallTime::MIDNIGHT, closes: WallTime::MIDNIGHT };
        let own = self.open(|date| {
            if let Some(exception) = member.exceptions.iter().find(|exception| exception.date == date) {
                return exception.intervals.clone();
            }
            let Some(week) = &member.hours else { return vec![always] };
            let here = week.iter().filter(|interval| interval.clinic_id.is_none_or(|at| at == clinic_id));
            let on_date = here.filter(|interval| is_on(interval.day.number_from_monday(), date));
            on_date.map(|interval| DayInterval { opens: interval.opens, closes: interval.closes }).collect()
        });
        // Who has no hours of their own works in the clinic's, at the edge of what is watched too.
        let has_own = member.hours.is_some() || !member.exceptions.is_empty();
        clinic.iter().zip(&own).map(|(clinic, own)| *clinic && (*own || !has_own)).collect()
    }

    /// Whether a local day begins at a minute: the clocks show its date for the first time.
    fn is_midnight(&self, minute: usize) -> bool {
        let date = |minute: usize| self.wall[minute].div_euclid(DAY);
        let mut earlier = (minute.saturating_sub(4 * 60)..minute).rev();
        minute > 0 && earlier.all(|earlier| date(earlier) < date(minute))
    }

    /// The minutes at which a visit can begin as far as hours and the grid go.
    pub fn starts(&self, works: &[bool], service: &ServiceState) -> Vec<i64> {
        let (duration, step) = (usize::from(service.duration_minutes), usize::from(service.slot_step_minutes));
        let mut starts = Vec::new();
        let mut minute = 0;
        while minute < works.len() {
            if !works[minute] {
                minute += 1;
                continue;
            }
            let end = (minute..works.len()).find(|minute| !works[*minute]).unwrap_or(works.len());
            let is_long = (end - minute) as i64 >= DAY;
            let mut counted_from = minute;
            for start in minute..end {
                if is_long && self.is_midnight(start) {
                    counted_from = start;
                }
                if (start - counted_from).is_multiple_of(step) && start + duration <= end {
                    starts.push(start as i64);
                }
            }
            minute = end;
        }
        starts
    }

    /// The first minute of a local date.
    pub fn date_begins(&self, date: NaiveDate) -> i64 {
        let wall = wall_minute(date, WallTime::MIDNIGHT);
        (0..self.wall.len()).find(|minute| self.wall[*minute] >= wall).unwrap() as i64
    }
}

fn is_on(day_from_monday: u8, date: NaiveDate) -> bool {
    date.weekday().num_days_from_monday() == u32::from(day_from_monday)
}

/// Time that is taken, in minutes.
#[derive(Debug, Clone)]
pub struct TakenTime {
    pub staff_id: StaffId,
    pub service_id: ServiceId,
    pub visit: Range<i64>,
    pub blocked: Range<i64>,
    pub has_room: bool,
}

/// Slots by beginning and service, with who is free.
pub type Slots = BTreeMap<(i64, ServiceId), Vec<StaffId>>;

/// Whether a visit can be booked beside what is taken: every minute of it, and of the buffers around it.
pub fn is_free(taken: &[TakenTime], staff_id: StaffId, service: &ServiceState, start: i64) -> bool {
    let end = start + i64::from(service.duration_minutes);
    let mut blocked = start - i64::from(service.buffer_before_minutes)..end + i64::from(service.buffer_after_minutes);
    let of_member: Vec<&TakenTime> = taken.iter().filter(|one| one.staff_id == staff_id).collect();
    blocked.all(|minute| {
        of_member.iter().filter(|one| one.blocked.contains(&minute)).all(|one| {
            one.has_room && one.service_id == service.service_id && one.visit.start == start && one.visit.end == end
        })
    })
}
