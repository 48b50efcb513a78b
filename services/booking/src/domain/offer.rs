//! What can be booked, and who can perform it when. It comes from the vendor service or, when that does not answer,
//! from the read models; the rules are the same for both.

use super::grid::stretches;
use chrono::Duration;
use subjects::booking::{Attention, BookingError};
use subjects::ids::{ClinicId, StaffId, VendorId};
use subjects::time::{Instant, TimeZone};
use subjects::vendor::{BookingPolicy, OpenInterval, ServiceState, StaffAvailability};

/// A service with all that a booking of it depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The service.
    pub service: ServiceState,
    /// The zone of the clinic's clocks.
    pub time_zone: TimeZone,
    /// The clinic's rules for bookings.
    pub policy: BookingPolicy,
    /// The version of the clinic's schedule.
    pub schedule_version: i64,
    /// Whether vendor, clinic and service take bookings at all.
    pub bookable: bool,
    /// Who performs the service, with the intervals in which they work, by id.
    pub staff: Vec<StaffAvailability>,
    /// True when it comes from the read models.
    pub provisional: bool,
}

/// A visit and the time that is kept free around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// When the visit begins.
    pub starts_at: Instant,
    /// When it ends.
    pub ends_at: Instant,
    /// From when the staff member is kept free.
    pub blocked_from: Instant,
    /// Until when the staff member is kept free.
    pub blocked_to: Instant,
}

impl Period {
    /// The period of a service's visit that begins at `starts_at`.
    pub fn of(service: &ServiceState, starts_at: Instant) -> Period {
        let minutes = |count: u16| Duration::minutes(i64::from(count));
        let ends_at = starts_at + minutes(service.duration_minutes.max(1));
        Period {
            starts_at,
            ends_at,
            blocked_from: starts_at - minutes(service.buffer_before_minutes),
            blocked_to: ends_at + minutes(service.buffer_after_minutes),
        }
    }
}

/// The earliest visit that a customer can book `now`.
pub fn earliest_start(service: &ServiceState, now: Instant) -> Instant {
    now + Duration::minutes(i64::from(service.minimum_notice_minutes))
}

/// The latest visit that a customer can book `now`.
pub fn latest_start(service: &ServiceState, now: Instant) -> Instant {
    now + Duration::days(i64::from(service.booking_window_days))
}

/// How far apart the beginnings of a service's slots lie.
pub fn slot_step(service: &ServiceState) -> Duration {
    Duration::minutes(i64::from(service.slot_step_minutes.max(1)))
}

impl Offer {
    /// The period of a visit that begins at `starts_at`.
    pub fn period(&self, starts_at: Instant) -> Period {
        Period::of(&self.service, starts_at)
    }

    /// Those who can take a visit, in the order of their ids: they perform the service and work throughout the visit.
    /// The buffers around it may lie outside working hours.
    ///
    /// # Errors
    /// [`BookingError::StaffUnsuitable`] where `wanted` does not perform the service,
    /// [`BookingError::VendorUnavailable`] where nobody works then or nothing may be booked.
    pub fn candidates(&self, wanted: Option<StaffId>, period: &Period) -> Result<Vec<StaffId>, BookingError> {
        if !self.bookable {
            return Err(BookingError::VendorUnavailable);
        }
        if wanted.is_some_and(|wanted| !self.staff.iter().any(|member| member.staff_id == wanted)) {
            return Err(BookingError::StaffUnsuitable);
        }
        let mut candidates: Vec<StaffId> = self
            .staff
            .iter()
            .filter(|member| wanted.is_none_or(|wanted| member.staff_id == wanted))
            .filter(|member| works_throughout(member, period))
            .map(|member| member.staff_id)
            .collect();
        candidates.sort_unstable();
        if candidates.is_empty() { Err(BookingError::VendorUnavailable) } else { Ok(candidates) }
    }

    /// Those of the candidates on whose grid a visit begins that a customer books `now`.
    ///
    /// # Errors
    /// [`BookingError::TooSoon`] or [`BookingError::TooFarAhead`] where the service takes no bookings yet, or no longer,
    /// for that time; [`BookingError::NotASlot`] where it is on nobody's grid.
    pub fn slot_candidates(
        &self,
        candidates: Vec<StaffId>,
        period: &Period,
        now: Instant,
    ) -> Result<Vec<StaffId>, BookingError> {
        if period.starts_at < earliest_start(&self.service, now) {
            return Err(BookingError::TooSoon);
        }
        if period.starts_at > latest_start(&self.service, now) {
            return Err(BookingError::TooFarAhead);
        }
        let is_on_grid = |candidate: &StaffId| {
            let working = self.staff.iter().filter(|member| member.staff_id == *candidate);
            let intervals = working.flat_map(|member| &member.open);
            let around = intervals.filter(|interval| interval.contains(period.starts_at, period.ends_at));
            let mut parts = around.flat_map(|interval| stretches(self.time_zone, *interval));
            parts.any(|part| part.has_start(slot_step(&self.service), period.starts_at))
        };
        let on_grid: Vec<StaffId> = candidates.into_iter().filter(is_on_grid).collect();
        if on_grid.is_empty() { Err(BookingError::NotASlot) } else { Ok(on_grid) }
    }

    /// Why a visit that was booked before does not fit this offer; nothing where it does.
    pub fn misfit(&self, staff_id: StaffId, period: &Period) -> Option<Attention> {
        if !self.service.active {
            return Some(Attention::ServiceRemoved);
        }
        if !self.bookable {
            return Some(Attention::VendorInactive);
        }
        match self.staff.iter().find(|member| member.staff_id == staff_id) {
            None => Some(Attention::StaffRemoved),
            Some(member) if !works_throughout(member, period) => Some(Attention::OutsideHours),
            Some(_) => None,
        }
    }

    /// The same offer for this one's dates and the ones that follow them, as `later` has them.
    pub fn joined_with(mut self, later: Offer) -> Offer {
        for member in later.staff {
            match self.staff.iter_mut().find(|known| known.staff_id == member.staff_id) {
                Some(known) => known.open = joined(std::mem::take(&mut known.open), member.open),
                None => self.staff.push(member),
            }
        }
        Offer { staff: self.staff, ..later }
    }

    /// Refuses a service that belongs to another clinic or vendor than the caller named.
    ///
    /// # Errors
    /// [`BookingError::ServiceNotFound`].
    pub fn belongs_to(&self, clinic_id: Option<ClinicId>, vendor_id: Option<VendorId>) -> Result<(), BookingError> {
        let other_clinic = clinic_id.is_some_and(|named| named != self.service.clinic_id);
        let other_vendor = vendor_id.is_some_and(|named| named != self.service.vendor_id);
        if other_clinic || other_vendor { Err(BookingError::ServiceNotFound) } else { Ok(()) }
    }
}

/// The intervals of two stretches of dates: what touches both is in both, as far as each knows it.
fn joined(mut intervals: Vec<OpenInterval>, later: Vec<OpenInterval>) -> Vec<OpenInterval> {
    for interval in later {
        match intervals.last_mut() {
            Some(last) if interval.from <= last.to => {
                last.from = last.from.min(interval.from);
                last.to = last.to.max(interval.to);
            }
            _ => intervals.push(interval),
        }
    }
    intervals
}

fn works_throughout(member: &StaffAvailability, period: &Period) -> bool {
    member.open.iter().any(|interval| interval.contains(period.starts_at, period.ends_at))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use subjects::Money;
    use subjects::ids::ServiceId;
    use uuid::Uuid;

    pub(crate) fn staff_id(number: u128) -> StaffId {
        StaffId(Uuid::from_u128(number))
    }

    /// The instant so many minutes after some midnight.
    pub(crate) fn at(minute: i64) -> Instant {
        chrono::DateTime::from_timestamp(1_800_000_000 - 1_800_000_000 % 86_400 + minute * 60, 0).unwrap()
    }

    pub(crate) fn works(staff: u128, intervals: &[(i64, i64)]) -> StaffAvailability {
        let open = intervals.iter().map(|(from, to)| OpenInterval { from: at(*from), to: at(*to) }).collect();
        StaffAvailability { staff_id: staff_id(staff), open }
    }

    pub(crate) fn offer(duration: u16, before: u16, after: u16, staff: Vec<StaffAvailability>) -> Offer {
        Offer {
            service: ServiceState {
                service_id: ServiceId(Uuid::from_u128(100)),
                clinic_id: ClinicId(Uuid::from_u128(101)),
                vendor_id: VendorId(Uuid::from_u128(102)),
                name: "Vaccination".into(),
                duration_minutes: duration,
                buffer_before_minutes: before,
                buffer_after_minutes: after,
                price: Money::idr(125_000),
                capacity: 1,
                slot_step_minutes: 15,
                minimum_notice_minutes: 0,
                booking_window_days: 180,
                active: true,
                version: 1,
            },
            time_zone: TimeZone::parse("Asia/Jakarta").unwrap(),
            policy: BookingPolicy::default(),
            schedule_version: 1,
            bookable: true,
            staff,
            provisional: false,
        }
    }

    #[test]
    fn only_those_who_work_throughout_the_visit_are_candidates() {
        let offer = offer(30, 10, 10, vec![works(2, &[(540, 720)]), works(1, &[(600, 620), (620, 700)])]);
        let candidates = |wanted, minute| offer.candidates(wanted, &offer.period(at(minute)));
        assert_eq!(candidates(None, 540), Ok(vec![staff_id(2)]));
        assert_eq!(candidates(None, 630), Ok(vec![staff_id(1), staff_id(2)]));
        // Two intervals that meet are still two working times.
        assert_eq!(candidates(Some(staff_id(1)), 600), Err(BookingError::VendorUnavailable));
        assert_eq!(candidates(None, 680), Ok(vec![staff_id(2)]));
        assert_eq!(candidates(Some(staff_id(3)), 630), Err(BookingError::StaffUnsuitable));
    }

    #[test]
    fn a_visit_may_end_when_the_clinic_closes_and_not_later() {
        let offer = offer(30, 0, 15, vec![works(1, &[(540, 720)])]);
        assert!(offer.candidates(None, &offer.period(at(690))).is_ok());
        assert_eq!(offer.candidates(None, &offer.period(at(691))), Err(BookingError::VendorUnavailable));
        assert_eq!(offer.candidates(None, &offer.period(at(539))), Err(BookingError::VendorUnavailable));
    }

    #[test]
    fn what_is_not_bookable_is_unavailable() {
        let mut offer = offer(30, 0, 0, vec![works(1, &[(540, 720)])]);
        offer.bookable = false;
        assert_eq!(offer.candidates(None, &offer.period(at(600))), Err(BookingError::VendorUnavailable));
        assert_eq!(offer.misfit(staff_id(1), &offer.period(at(600))), Some(Attention::VendorInactive));
    }

    #[test]
    fn a_misfit_is_named_by_its_cause() {
        let mut offer = offer(30, 0, 0, vec![works(1, &[(540, 720)])]);
        assert_eq!(offer.misfit(staff_id(1), &offer.period(at(600))), None);
        assert_eq!(offer.misfit(staff_id(1), &offer.period(at(710))), Some(Attention::OutsideHours));
        assert_eq!(offer.misfit(staff_id(9), &offer.period(at(600))), Some(Attention::StaffRemoved));
        offer.service.active = false;
        assert_eq!(offer.misfit(staff_id(1), &offer.period(at(600))), Some(Attention::ServiceRemoved));
    }

    #[test]
    fn customers_begin_on_the_grid_of_those_who_take_them() {
        let mut offer = offer(30, 0, 0, vec![works(1, &[(540, 720)]), works(2, &[(550, 720)])]);
        offer.service.slot_step_minutes = 20;
        let slot = |minute| {
            let period = offer.period(at(minute));
            offer.candidates(None, &period).and_then(|candidates| offer.slot_candidates(candidates, &period, at(0)))
        };
        assert_eq!(slot(540), Ok(vec![staff_id(1)]));
        assert_eq!(slot(560), Ok(vec![staff_id(1)]));
        assert_eq!(slot(570), Ok(vec![staff_id(2)]));
        assert_eq!(slot(575), Err(BookingError::NotASlot));
        assert_eq!(slot(530), Err(BookingError::VendorUnavailable));
    }

    #[test]
    fn notice_and_window_are_counted_to_the_second() {
        let mut offer = offer(30, 0, 0, vec![works(1, &[(0, 4 * 1440)])]);
        offer.service.minimum_notice_minutes = 60;
        offer.service.booking_window_days = 2;
        let slot = |minute, now| offer.slot_candidates(vec![staff_id(1)], &offer.period(at(minute)), now);
        let second = Duration::seconds(1);
        assert_eq!(slot(600, at(540)), Ok(vec![staff_id(1)]));
        assert_eq!(slot(600, at(540) + second), Err(BookingError::TooSoon));
        assert_eq!(slot(600 + 2 * 1440, at(600)), Ok(vec![staff_id(1)]));
        assert_eq!(slot(600 + 2 * 1440, at(600) - second), Err(BookingError::TooFarAhead));
    }

    #[test]
    fn a_service_of_another_clinic_is_not_found() {
        let offer = offer(30, 0, 0, vec![]);
        assert_eq!(offer.belongs_to(None, None), Ok(()));
        assert_eq!(offer.belongs_to(Some(offer.service.clinic_id), Some(offer.service.vendor_id)), Ok(()));
        assert_eq!(offer.belongs_to(Some(ClinicId::new()), None), Err(BookingError::ServiceNotFound));
        assert_eq!(offer.belongs_to(None, Some(VendorId::new())), Err(BookingError::ServiceNotFound));
    }
}
