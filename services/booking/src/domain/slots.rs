//! Free slots: working hours, less what is claimed.

use super::offer::{Offer, Period};
use chrono::Duration;
use std::collections::BTreeMap;
use subjects::ids::{ServiceId, StaffId};
use subjects::time::Instant;

/// How far apart the beginnings of slots lie, counted from the beginning of each working interval.
pub const STEP_MINUTES: i64 = 15;

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

/// A time at which a service can be booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeSlot {
    /// When the visit begins.
    pub starts_at: Instant,
    /// When it ends.
    pub ends_at: Instant,
    /// Who is free for it, by id.
    pub staff_ids: Vec<StaffId>,
}

/// The free slots of an offer that begin at `from` or later and before `to`, the earliest first.
pub fn free_slots(offer: &Offer, claims: &[Claim], from: Instant, to: Instant) -> Vec<FreeSlot> {
    if !offer.bookable {
        return Vec::new();
    }
    let claims_by_staff = by_staff(claims);
    let mut slots: BTreeMap<Instant, FreeSlot> = BTreeMap::new();
    for member in &offer.staff {
        let taken = claims_by_staff.get(&member.staff_id).map_or(&[][..], Vec::as_slice);
        for interval in &member.open {
            let mut starts_at = first_start(interval.from, from);
            while starts_at < to {
                let period = offer.period(starts_at);
                if period.ends_at > interval.to {
                    break;
                }
                if is_free(taken, offer.service_id(), &period) {
                    let new_slot = || FreeSlot {
                        starts_at,
                        ends_at: period.ends_at,
                        staff_ids: Vec::with_capacity(offer.staff.len()),
                    };
                    slots.entry(starts_at).or_insert_with(new_slot).staff_ids.push(member.staff_id);
                }
                starts_at += Duration::minutes(STEP_MINUTES);
            }
        }
    }
    let mut slots: Vec<FreeSlot> = slots.into_values().collect();
    for slot in &mut slots {
        slot.staff_ids.sort_unstable();
    }
    slots
}

/// The first step of an interval that is not before `from`.
fn first_start(interval_from: Instant, from: Instant) -> Instant {
    let step = Duration::minutes(STEP_MINUTES);
    let milliseconds_late = (from - interval_from).num_milliseconds().max(0);
    let whole_steps = milliseconds_late / step.num_milliseconds();
    let last_step_before = interval_from + Duration::milliseconds(whole_steps * step.num_milliseconds());
    if last_step_before < from { last_step_before + step } else { last_step_before }
}

fn by_staff(claims: &[Claim]) -> BTreeMap<StaffId, Vec<&Claim>> {
    let mut by_staff: BTreeMap<StaffId, Vec<&Claim>> = BTreeMap::new();
    for claim in claims {
        by_staff.entry(claim.staff_id).or_default().push(claim);
    }
    for claims_of_member in by_staff.values_mut() {
        claims_of_member.sort_unstable_by_key(|claim| claim.blocked_from);
    }
    by_staff
}

/// Whether a period can be booked beside the claims of one staff member, which are in order and do not overlap.
fn is_free(taken: &[&Claim], service_id: ServiceId, period: &Period) -> bool {
    // Claims do not overlap, so those that end by the beginning of the period come first.
    let first_later = taken.partition_point(|claim| claim.blocked_to <= period.blocked_from);
    taken
        .iter()
        .skip(first_later)
        .take_while(|claim| claim.blocked_from < period.blocked_to)
        .all(|claim| can_join(claim, service_id, period))
}

fn can_join(claim: &Claim, service_id: ServiceId, period: &Period) -> bool {
    claim.has_room
        && claim.service_id == service_id
        && claim.starts_at == period.starts_at
        && claim.ends_at == period.ends_at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::offer::tests::{at, offer, staff_id, works};
    use proptest::prelude::*;

    fn claim(offer: &Offer, staff: u128, minute: i64, has_room: bool) -> Claim {
        let Period { starts_at, ends_at, blocked_from, blocked_to } = offer.period(at(minute));
        let service_id = offer.service_id();
        Claim { staff_id: staff_id(staff), service_id, starts_at, ends_at, blocked_from, blocked_to, has_room }
    }

    /// The slots of a day as (minute, staff).
    fn slots(offer: &Offer, claims: &[Claim], from: i64, to: i64) -> Vec<(i64, Vec<u128>)> {
        free_slots(offer, claims, at(from), at(to))
            .into_iter()
            .map(|slot| {
                let staff = slot.staff_ids.iter().map(|id| id.0.as_u128()).collect();
                ((slot.starts_at - at(0)).num_minutes(), staff)
            })
            .collect()
    }

    #[test]
    fn slots_fill_the_working_hours_step_by_step() {
        let offer = offer(30, 0, 0, vec![works(1, &[(545, 610)]), works(2, &[(575, 605)])]);
        assert_eq!(slots(&offer, &[], 0, 1440), [(545, vec![1]), (560, vec![1]), (575, vec![1, 2])]);
    }

    #[test]
    fn slots_before_the_range_and_after_it_are_left_out() {
        let offer = offer(30, 0, 0, vec![works(1, &[(-600, 720)])]);
        assert_eq!(slots(&offer, &[], 661, 690), [(675, vec![1])]);
        assert_eq!(slots(&offer, &[], 660, 690), [(660, vec![1]), (675, vec![1])]);
    }

    #[test]
    fn buffers_keep_visits_apart() {
        let offer = offer(30, 0, 15, vec![works(1, &[(540, 720)])]);
        let claims = [claim(&offer, 1, 600, false)];
        // 30 minutes and 15 of buffer: the last slot before begins at 555, the first after at 645.
        let free: Vec<i64> = slots(&offer, &claims, 0, 1440).into_iter().map(|(minute, _)| minute).collect();
        assert_eq!(free, [540, 555, 645, 660, 675, 690]);
    }

    #[test]
    fn a_session_with_room_can_be_joined_at_its_own_time_only() {
        let offer = offer(30, 0, 0, vec![works(1, &[(600, 660)])]);
        assert_eq!(slots(&offer, &[claim(&offer, 1, 615, true)], 0, 1440), [(615, vec![1])]);
        assert_eq!(slots(&offer, &[claim(&offer, 1, 615, false)], 0, 1440), []);
        let mut for_another_service = claim(&offer, 1, 615, true);
        for_another_service.service_id = ServiceId::new();
        assert_eq!(slots(&offer, &[for_another_service], 0, 1440), []);
    }

    #[test]
    fn what_is_not_bookable_has_no_slots() {
        let mut offer = offer(30, 0, 0, vec![works(1, &[(600, 660)])]);
        offer.bookable = false;
        assert_eq!(slots(&offer, &[], 0, 1440), []);
    }

    /// Working intervals of one day, in order and apart.
    fn day() -> impl Strategy<Value = Vec<(i64, i64)>> {
        prop::collection::vec((1_i64..200, 1_i64..300), 0..4).prop_map(|gaps_and_lengths| {
            let mut minute = 300;
            let mut intervals = Vec::new();
            for (gap, length) in gaps_and_lengths {
                intervals.push((minute + gap, minute + gap + length));
                minute += gap + length;
            }
            intervals
        })
    }

    proptest! {
        /// Against the plainest possible reading: every step of every interval, tried against every claim.
        #[test]
        fn slots_are_those_that_a_plain_search_finds(
            days in prop::collection::vec(day(), 1..4),
            duration in 1_u16..120, before in 0_u16..30, after in 0_u16..30,
            claimed in prop::collection::vec((0_u128..4, 300_i64..1500, any::<bool>()), 0..12),
            from in 200_i64..1200, length in 0_i64..900,
        ) {
            let staff = days.iter().zip(0_u128..).map(|(intervals, staff)| works(staff, intervals)).collect();
            let offer = offer(duration, before, after, staff);
            // As the database guarantees, no two claims of a staff member overlap.
            let mut claims: Vec<Claim> = Vec::new();
            for (staff, minute, has_room) in claimed {
                let candidate = claim(&offer, staff, minute, has_room);
                let overlaps = |other: &Claim| other.staff_id == candidate.staff_id
                    && other.blocked_from < candidate.blocked_to && candidate.blocked_from < other.blocked_to;
                if !claims.iter().any(overlaps) {
                    claims.push(candidate);
                }
            }

            let mut expected: BTreeMap<i64, Vec<u128>> = BTreeMap::new();
            for (intervals, staff) in days.iter().zip(0_u128..) {
                for (opens, closes) in intervals {
                    for minute in (*opens..*closes).step_by(15) {
                        let period = offer.period(at(minute));
                        let fits = period.ends_at <= at(*closes);
                        let is_asked_for = minute >= from && minute < from + length;
                        let is_clear = claims.iter().filter(|claim| claim.staff_id == staff_id(staff)).all(|claim| {
                            let is_apart = claim.blocked_to <= period.blocked_from || period.blocked_to <= claim.blocked_from;
                            is_apart || (claim.has_room && claim.starts_at == period.starts_at)
                        });
                        if fits && is_asked_for && is_clear {
                            expected.entry(minute).or_default().push(staff);
                        }
                    }
                }
            }
            let expected: Vec<(i64, Vec<u128>)> = expected.into_iter().collect();
            prop_assert_eq!(slots(&offer, &claims, from, from + length), expected);
        }

        /// Whatever is shown as free would also be accepted.
        #[test]
        fn every_free_slot_has_candidates(intervals in day(), duration in 1_u16..120) {
            let offer = offer(duration, 5, 5, vec![works(1, &intervals)]);
            for slot in free_slots(&offer, &[], at(0), at(2880)) {
                prop_assert_eq!(offer.candidates(None, &offer.period(slot.starts_at)), Ok(slot.staff_ids));
            }
        }
    }
}
