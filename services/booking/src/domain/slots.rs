//! Free slots: the grids of working hours, less what is claimed.
//!
//! Each service with each of its staff is a lane that goes from one free start to the next and never back. The lanes
//! are merged by time, so that the work ends with the page, however many services, staff and days were asked for.

use super::grid::Stretch;
use super::offer::{Period, slot_step};
use chrono::Duration;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use subjects::ids::{ServiceId, StaffId};
use subjects::time::Instant;
use subjects::vendor::ServiceState;

/// Time of a staff member that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whose time.
    pub staff_id: StaffId,
    /// For which service.
    pub service_id: ServiceId,
    /// When the visit begins.
    pub starts_at: Instant,
    /// When it ends.
    pub ends_at: Instant,
    /// The beginning of the taken time, with the buffer.
    pub blocked_from: Instant,
    /// The end of the taken time, with the buffer.
    pub blocked_to: Instant,
    /// Whether another booking of the same service and period can join.
    pub has_room: bool,
}

/// The claims on the time of some staff members.
#[derive(Debug, Default)]
pub struct Taken(BTreeMap<StaffId, Vec<Claim>>);

/// What slots are looked for of.
#[derive(Debug)]
pub struct Sought<'a> {
    /// The service.
    pub service: &'a ServiceState,
    /// Those who perform it, and when they work.
    pub staff: Vec<(StaffId, &'a [Stretch])>,
    /// The earliest beginning.
    pub from: Instant,
    /// The first instant that is too late.
    pub to: Instant,
}

/// A time at which a service can be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeSlot {
    /// The service.
    pub service_id: ServiceId,
    /// When the visit begins.
    pub starts_at: Instant,
    /// When it ends.
    pub ends_at: Instant,
    /// Who is free for it, by id.
    pub staff_ids: Vec<StaffId>,
}

impl Taken {
    /// Claims in any order. As the database guarantees, no two of a staff member overlap.
    pub fn new(claims: Vec<Claim>) -> Taken {
        let mut by_staff: BTreeMap<StaffId, Vec<Claim>> = BTreeMap::new();
        for claim in claims {
            by_staff.entry(claim.staff_id).or_default().push(claim);
        }
        for claims_of_member in by_staff.values_mut() {
            claims_of_member.sort_unstable_by_key(|claim| claim.blocked_from);
        }
        Taken(by_staff)
    }

    fn of(&self, staff_id: StaffId) -> &[Claim] {
        self.0.get(&staff_id).map_or(&[], Vec::as_slice)
    }
}

/// The free slots by their beginning and service, at most `limit`.
pub fn free_slots(sought: &[Sought<'_>], taken: &Taken, limit: usize) -> Vec<FreeSlot> {
    let mut lanes = lanes(sought, taken);
    let mut next_starts = BinaryHeap::with_capacity(lanes.len());
    for (place, lane) in lanes.iter_mut().enumerate() {
        if let Some(starts_at) = lane.next_free(lane.sought_from) {
            next_starts.push(Reverse((starts_at, lane.service.service_id, lane.staff_id, place)));
        }
    }
    let mut slots: Vec<FreeSlot> = Vec::new();
    while let Some(Reverse((starts_at, service_id, staff_id, place))) = next_starts.pop() {
        let Some(lane) = lanes.get_mut(place) else { continue };
        let is_full = slots.len() == limit;
        match slots.last_mut() {
            Some(slot) if (slot.starts_at, slot.service_id) == (starts_at, service_id) => slot.staff_ids.push(staff_id),
            _ if is_full => break,
            _ => {
                let ends_at = Period::of(lane.service, starts_at).ends_at;
                slots.push(FreeSlot { service_id, starts_at, ends_at, staff_ids: vec![staff_id] });
            }
        }
        // Not a whole step later: the grid may begin anew before that.
        if let Some(following) = lane.next_free(starts_at + Duration::microseconds(1)) {
            next_starts.push(Reverse((following, service_id, staff_id, place)));
        }
    }
    slots
}

fn lanes<'a>(sought: &'a [Sought<'a>], taken: &'a Taken) -> Vec<Lane<'a>> {
    let mut lanes = Vec::with_capacity(sought.iter().map(|one| one.staff.len()).sum());
    for Sought { service, staff, from, to } in sought {
        for (staff_id, works) in staff {
            lanes.push(Lane {
                service,
                staff_id: *staff_id,
                step: slot_step(service),
                works: works.iter(),
                current: None,
                claims: taken.of(*staff_id),
                sought_from: *from,
                sought_to: *to,
            });
        }
    }
    lanes
}

/// One service with one of its staff.
struct Lane<'a> {
    service: &'a ServiceState,
    staff_id: StaffId,
    step: Duration,
    /// The stretches of work that have not been begun.
    works: std::slice::Iter<'a, Stretch>,
    current: Option<&'a Stretch>,
    /// The claims that are not wholly over, in order.
    claims: &'a [Claim],
    sought_from: Instant,
    sought_to: Instant,
}

impl Lane<'_> {
    /// The first free start at `earliest` or later; `earliest` must not go back.
    fn next_free(&mut self, mut earliest: Instant) -> Option<Instant> {
        let duration = Duration::minutes(i64::from(self.service.duration_minutes.max(1)));
        loop {
            let stretch = match self.current {
                Some(stretch) => stretch,
                None => self.current.insert(self.works.next()?),
            };
            let start = stretch.first_start(self.step, earliest);
            let Some(start) = start.filter(|start| *start + duration <= stretch.work_ends) else {
                self.current = None;
                continue;
            };
            if start >= self.sought_to {
                return None;
            }
            match self.obstacle(&Period::of(self.service, start)) {
                None => return Some(start),
                Some(later) => earliest = later,
            }
        }
    }

    /// Where a period cannot be booked: the next instant at which that may be otherwise.
    fn obstacle(&mut self, period: &Period) -> Option<Instant> {
        let over = self.claims.partition_point(|claim| claim.blocked_to <= period.blocked_from);
        self.claims = self.claims.get(over..).unwrap_or_default();
        let mut overlapping = self.claims.iter().take_while(|claim| claim.blocked_from < period.blocked_to);
        let in_the_way = overlapping.find(|claim| !can_join(claim, self.service.service_id, period))?;
        let is_group = in_the_way.has_room && in_the_way.service_id == self.service.service_id;
        if is_group && in_the_way.starts_at > period.starts_at {
            return Some(in_the_way.starts_at);
        }
        let buffer = period.starts_at - period.blocked_from;
        Some(in_the_way.blocked_to + buffer)
    }
}

fn can_join(claim: &Claim, service_id: ServiceId, period: &Period) -> bool {
    claim.has_room
        && claim.service_id == service_id
        && claim.starts_at == period.starts_at
        && claim.ends_at == period.ends_at
}

#[cfg(test)]
#[path = "slots_tests.rs"]
mod tests;
