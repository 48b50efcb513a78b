//! What slots have to be looked for, when somebody asks for free time.

use super::grid;
use super::offer::{earliest_start, latest_start};
use super::schedule::Place;
use super::slots::Sought;
use chrono::{Days, Duration, NaiveDate};
use serde::{Deserialize, Serialize};
use subjects::ids::ServiceId;
use subjects::time::Instant;

/// A slot by its place in a list.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct SlotKey {
    /// When it begins.
    pub starts_at: Instant,
    /// The service.
    pub service_id: ServiceId,
}

/// A question for free time.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// The first day by the clinic's calendar.
    pub first: NaiveDate,
    /// The last day.
    pub last: NaiveDate,
    /// The last slot that was seen.
    pub after: Option<SlotKey>,
    /// When it is asked.
    pub now: Instant,
}

/// Of each service the slots that a customer can book now, on the days asked for, after the last one seen.
pub fn sought<'a>(places: &'a [Place], asked: &Asked) -> Vec<Sought<'a>> {
    let Asked { first, last, after, now } = *asked;
    let day_after = last.checked_add_days(Days::new(1)).unwrap_or(last);
    let moment = Duration::microseconds(1);
    let mut sought = Vec::new();
    for place in places {
        let days_from = grid::midnight(place.time_zone, first);
        let days_to = grid::midnight(place.time_zone, day_after);
        for service in &place.services {
            let mut from = days_from.max(earliest_start(service, now));
            let to = days_to.min(latest_start(service, now) + moment);
            if let Some(SlotKey { starts_at, service_id }) = after {
                // Those of the same beginning come in the order of their services.
                let is_behind = service.service_id <= service_id;
                from = from.max(if is_behind { starts_at + moment } else { starts_at });
            }
            let performers = place.members.iter().filter(|member| member.performs.contains(&service.service_id));
            let staff: Vec<_> = performers.map(|member| (member.staff_id, member.works.as_slice())).collect();
            if from < to && !staff.is_empty() {
                sought.push(Sought { service, staff, from, to });
            }
        }
    }
    sought
}
