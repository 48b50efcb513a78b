//! What can be booked, and who can perform it when. It comes from the vendor service or, when that does not answer,
//! from the read models; the rules are the same for both.

use chrono::Duration;
use subjects::booking::{Attention, BookingError};
use subjects::ids::{ClinicId, ServiceId, StaffId, VendorId};
use subjects::time::{Instant, TimeZone};
use subjects::vendor::{ServiceState, StaffAvailability};

/// A service with all that a booking of it depends on.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The service.
    pub service: ServiceState,
    /// The zone of the clinic's clocks.
    pub time_zone: TimeZone,
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

impl Offer {
    /// The period of a visit that begins at `starts_at`.
    pub fn period(&self, starts_at: Instant) -> Period {
        let minutes = |count: u16| Duration::minutes(i64::from(count));
        let ends_at = starts_at + minutes(self.service.duration_minutes.max(1));
        Period {
            starts_at,
            ends_at,
            blocked_from: starts_at - minutes(self.service.buffer_before_minutes),
            blocked_to: ends_at + minutes(self.service.buffer_after_minutes),
        }
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

    /// Refuses a service that belongs to another clinic or vendor than the caller named.
    ///
    /// # Errors
    /// [`BookingError::ServiceNotFound`].
    pub fn belongs_to(&self, clinic_id: Option<ClinicId>, vendor_id: Option<VendorId>) -> Result<(), BookingError> {
        let other_clinic = clinic_id.is_some_and(|named| named != self.service.clinic_id);
        let other_vendor = vendor_id.is_some_and(|named| named != self.service.vendor_id);
        if other_clinic || other_vendor { Err(BookingError::ServiceNotFound) } else { Ok(()) }
    }

    /// The service's id.
    pub fn service_id(&self) -> ServiceId {
        self.service.service_id
    }
}

fn works_throughout(member: &StaffAvailability, period: &Period) -> bool {
    member.open.iter().any(|interval| interval.contains(period.starts_at, period.ends_at))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use subjects::Money;
    use subjects::vendor::OpenInterval;
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
                active: true,
                version: 1,
            },
            time_zone: TimeZone::parse("Asia/Jakarta").unwrap(),
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
    fn a_service_of_another_clinic_is_not_found() {
        let offer = offer(30, 0, 0, vec![]);
        assert_eq!(offer.belongs_to(None, None), Ok(()));
        assert_eq!(offer.belongs_to(Some(offer.service.clinic_id), Some(offer.service.vendor_id)), Ok(()));
        assert_eq!(offer.belongs_to(Some(ClinicId::new()), None), Err(BookingError::ServiceNotFound));
        assert_eq!(offer.belongs_to(None, Some(VendorId::new())), Err(BookingError::ServiceNotFound));
    }
}
