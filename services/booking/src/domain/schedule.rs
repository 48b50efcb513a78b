//! What vendor's events have told of some clinics: what they offer, who works there, and when.

use super::grid::{self, Stretch, dates_around};
use super::offer::Offer;
use chrono::NaiveDate;
use std::collections::BTreeSet;
use subjects::ids::{ClinicId, ServiceId, StaffId, VendorId};
use subjects::time::TimeZone;
use subjects::vendor::{
    BookingPolicy, OpenInterval, OpeningHours, OwnHours, ServiceState, StaffAvailability, StaffState,
};

/// Some clinics, and staff of their vendors.
#[derive(Debug, Clone, Default)]
pub struct Schedule {
    /// The clinics, each with some or all of its services.
    pub clinics: Vec<ClinicSchedule>,
    /// The staff, by id; those who are gone are not active.
    pub staff: Vec<StaffState>,
}

/// A clinic.
#[derive(Debug, Clone)]
pub struct ClinicSchedule {
    /// The clinic.
    pub clinic_id: ClinicId,
    /// Its vendor.
    pub vendor_id: VendorId,
    /// The zone of its clocks.
    pub time_zone: TimeZone,
    /// Its rules for bookings.
    pub policy: BookingPolicy,
    /// Whether vendor and clinic take bookings.
    pub takes_bookings: bool,
    /// The version of the schedule.
    pub schedule_version: i64,
    /// When it is open.
    pub hours: OpeningHours,
    /// What it offers.
    pub services: Vec<KnownService>,
}

/// A service of a clinic.
#[derive(Debug, Clone)]
pub struct KnownService {
    /// The service.
    pub state: ServiceState,
    /// Whether it is gone.
    pub removed: bool,
}

/// What is known of a service.
#[derive(Debug)]
pub enum Known {
    /// All that a booking needs.
    Offer(Box<Offer>),
    /// It was removed.
    Removed,
    /// Not enough: its events, or those of its clinic or vendor, have not been heard yet.
    Unknown,
}

/// A clinic with what can be booked there on some dates, and with whom.
#[derive(Debug, Clone)]
pub struct Place {
    /// The zone of the clinic's clocks.
    pub time_zone: TimeZone,
    /// The services that can be booked.
    pub services: Vec<ServiceState>,
    /// Those who perform them, by id.
    pub members: Vec<Member>,
}

/// Someone who works at a clinic.
#[derive(Debug, Clone)]
pub struct Member {
    /// Who.
    pub staff_id: StaffId,
    /// What they perform.
    pub performs: BTreeSet<ServiceId>,
    /// When they work, cut where the grid begins anew.
    pub works: Vec<Stretch>,
}

impl Schedule {
    /// What the clinics can be booked for between two dates: of the services that are offered, with one staff member
    /// or with all who perform them. Clinics that take no bookings are left out.
    pub fn places(&self, wanted: Option<StaffId>, first: NaiveDate, last: NaiveDate) -> Vec<Place> {
        let open_clinics = self.clinics.iter().filter(|clinic| clinic.takes_bookings);
        open_clinics.map(|clinic| self.place(clinic, wanted, first, last)).collect()
    }

    fn place(&self, clinic: &ClinicSchedule, wanted: Option<StaffId>, first: NaiveDate, last: NaiveDate) -> Place {
        let offered = clinic.services.iter().filter(|service| service.state.active && !service.removed);
        let services: Vec<ServiceState> = offered.map(|service| service.state.clone()).collect();
        let service_ids: BTreeSet<ServiceId> = services.iter().map(|service| service.service_id).collect();
        let (first, last) = dates_around(first, last);
        let time_zone = clinic.time_zone;
        let mut whole_hours: Option<Vec<Stretch>> = None;
        let mut members = Vec::new();
        for member in self.working_at(clinic, wanted) {
            let performs: BTreeSet<ServiceId> =
                member.service_ids.iter().copied().filter(|performed| service_ids.contains(performed)).collect();
            if performs.is_empty() {
                continue;
            }
            // The hours of those who have none of their own are the same for all of them.
            let works = if member.hours.is_none() && member.exceptions.is_empty() {
                whole_hours.get_or_insert_with(|| cut(time_zone, &worked(clinic, member, first, last))).clone()
            } else {
                cut(time_zone, &worked(clinic, member, first, last))
            };
            members.push(Member { staff_id: member.staff_id, performs, works });
        }
        Place { time_zone, services, members }
    }

    /// What is known of a service between two dates, with the answer that `vendor.availability` would give.
    pub fn known(&self, service_id: ServiceId, wanted: Option<StaffId>, first: NaiveDate, last: NaiveDate) -> Known {
        let of_clinic = |clinic: &'_ ClinicSchedule| {
            clinic.services.iter().find(|service| service.state.service_id == service_id).cloned()
        };
        let found = self.clinics.iter().find_map(|clinic| of_clinic(clinic).map(|service| (clinic, service)));
        let Some((clinic, KnownService { state: service, removed })) = found else { return Known::Unknown };
        if removed {
            return Known::Removed;
        }
        let bookable = clinic.takes_bookings && service.active;
        let performers =
            self.working_at(clinic, wanted).filter(|member| bookable && member.service_ids.contains(&service_id));
        let staff = performers
            .map(|member| StaffAvailability { staff_id: member.staff_id, open: worked(clinic, member, first, last) })
            .collect();
        Known::Offer(Box::new(Offer {
            service,
            time_zone: clinic.time_zone,
            policy: clinic.policy,
            schedule_version: clinic.schedule_version,
            bookable,
            staff,
            provisional: true,
        }))
    }

    fn working_at<'a>(
        &'a self,
        clinic: &'a ClinicSchedule,
        wanted: Option<StaffId>,
    ) -> impl Iterator<Item = &'a StaffState> {
        self.staff
            .iter()
            .filter(|member| member.active && member.clinic_ids.contains(&clinic.clinic_id))
            .filter(move |member| wanted.is_none_or(|wanted| member.staff_id == wanted))
    }
}

impl Place {
    /// What the vendor service answered, as a place with one service.
    pub fn of_offer(offer: Offer) -> Place {
        let Offer { service, time_zone, policy: _, schedule_version: _, bookable: _, staff, provisional: _ } = offer;
        let members = staff.into_iter().map(|member| Member {
            staff_id: member.staff_id,
            performs: BTreeSet::from([service.service_id]),
            works: cut(time_zone, &member.open),
        });
        Place { time_zone, members: members.collect(), services: vec![service] }
    }
}

fn worked(clinic: &ClinicSchedule, member: &StaffState, first: NaiveDate, last: NaiveDate) -> Vec<OpenInterval> {
    let own = OwnHours { week: member.hours.as_deref(), exceptions: &member.exceptions };
    clinic.hours.worked_between(clinic.clinic_id, own, first, last)
}

fn cut(time_zone: TimeZone, intervals: &[OpenInterval]) -> Vec<Stretch> {
    intervals.iter().flat_map(|interval| grid::stretches(time_zone, *interval)).collect()
}
