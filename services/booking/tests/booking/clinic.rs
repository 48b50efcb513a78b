//! A clinic as vendor's events tell it.

use crate::world::World;
use subjects::ids::{ClinicId, MembershipId, ServiceId, StaffId, UserId, VendorId};
use subjects::time::{Instant, TimeZone};
use subjects::vendor::{
    BookingPolicy, ClinicState, ClinicUpdated, HoursState, HoursUpdated, MembershipChanged, MembershipState,
    OpeningHours, ServiceState, ServiceUpdated, StaffAdded, StaffState, VendorApproved, VendorKind, VendorState,
    VendorStatus, WallTime, Weekday, WeeklyInterval,
};
use subjects::{MembershipRole, Money};

#[derive(Debug, Clone)]
pub struct Clinic {
    pub vendor_id: VendorId,
    pub clinic_id: ClinicId,
    pub hours: OpeningHours,
    pub policy: BookingPolicy,
    pub services: Vec<ServiceState>,
    pub staff: Vec<StaffState>,
}

impl Clinic {
    /// A clinic in Jakarta, open from nine to five every day, that offers services of these durations in minutes, all
    /// performed by so many staff members.
    pub fn new(durations: &[u16], staff_count: usize) -> Clinic {
        let (vendor_id, clinic_id) = (VendorId::new(), ClinicId::new());
        let services: Vec<ServiceState> = durations
            .iter()
            .map(|duration| ServiceState {
                service_id: ServiceId::new(),
                clinic_id,
                vendor_id,
                name: format!("Visit of {duration} minutes"),
                duration_minutes: *duration,
                buffer_before_minutes: 0,
                buffer_after_minutes: 0,
                price: Money::idr(125_000),
                capacity: 1,
                slot_step_minutes: 15,
                minimum_notice_minutes: 0,
                booking_window_days: 180,
                active: true,
                version: 1,
            })
            .collect();
        let staff = (0..staff_count)
            .map(|_| StaffState {
                staff_id: StaffId::new(),
                vendor_id,
                clinic_ids: vec![clinic_id],
                service_ids: services.iter().map(|service| service.service_id).collect(),
                hours: None,
                exceptions: Vec::new(),
                active: true,
                version: 1,
            })
            .collect();
        let (hours, policy) = (nine_to_five(), BookingPolicy::default());
        Clinic { vendor_id, clinic_id, hours, policy, services, staff }
    }

    /// The id of the first service, or of another by its place.
    pub fn service(&self, place: usize) -> ServiceId {
        self.services[place].service_id
    }

    pub fn staff(&self, place: usize) -> StaffId {
        self.staff[place].staff_id
    }

    /// Tells the events of all of it, and waits until booking has heard them.
    pub async fn tell(&self, world: &World) {
        let Clinic { vendor_id, clinic_id, hours, policy: _, services, staff } = self.clone();
        world.tell(&VendorApproved(approved(vendor_id, 1))).await;
        world.tell(&self.state(1)).await;
        world.tell(&HoursUpdated(HoursState { clinic_id, vendor_id, hours, removed: false, version: 1 })).await;
        let (service_count, staff_count) = (services.len(), staff.len());
        for service in services {
            world.tell(&ServiceUpdated(service)).await;
        }
        for member in staff {
            world.tell(&StaffAdded(member)).await;
        }
        let heard =
            |table: &str, id: &str, value| format!("select count(*) from booking.{table} where {id} = '{value}'");
        world.until(&heard("vendors", "id", vendor_id.0), 1).await;
        world.until(&heard("clinics", "id", clinic_id.0), 1).await;
        world.until(&heard("service_availability", "id", clinic_id.0), 1).await;
        world.until(&heard("services", "clinic_id", clinic_id.0), service_count.try_into().unwrap()).await;
        world.until(&heard("staff", "vendor_id", vendor_id.0), staff_count.try_into().unwrap()).await;
    }

    /// The clinic itself.
    pub fn state(&self, version: i64) -> ClinicUpdated {
        ClinicUpdated(ClinicState {
            clinic_id: self.clinic_id,
            vendor_id: self.vendor_id,
            name: "Klinik Satwa".into(),
            time_zone: self.hours.time_zone,
            policy: self.policy,
            active: true,
            removed: false,
            version,
        })
    }

    /// Makes a user a member of the clinic's vendor, for all its clinics.
    pub async fn employ(&self, world: &World, user_id: UserId) -> MembershipState {
        let state = MembershipState {
            membership_id: MembershipId::new(),
            user_id,
            vendor_id: self.vendor_id,
            clinic_id: None,
            role: MembershipRole::ClinicStaff,
            active: true,
            version: 1,
        };
        world.tell(&MembershipChanged(state.clone())).await;
        world.until(&format!("select count(*) from booking.memberships where user_id = '{user_id}'"), 1).await;
        state
    }
}

pub fn approved(vendor_id: VendorId, version: i64) -> VendorState {
    VendorState { vendor_id, kind: VendorKind::Clinic, status: VendorStatus::Approved, removed: false, version }
}

pub fn nine_to_five() -> OpeningHours {
    let (opens, closes) = (WallTime::new(9, 0).unwrap(), WallTime::new(17, 0).unwrap());
    OpeningHours {
        time_zone: TimeZone::parse("Asia/Jakarta").unwrap(),
        weekly: Weekday::ALL.iter().map(|day| WeeklyInterval { day: *day, opens, closes }).collect(),
        exceptions: Vec::new(),
    }
}

/// An instant some days from now, by the clinic's clock (Jakarta has no daylight saving time).
pub fn local(days_ahead: u64, hour: u32, minute: u32) -> Instant {
    let date = chrono::Utc::now().date_naive() + chrono::Days::new(days_ahead + 1);
    let midnight = date.and_hms_opt(0, 0, 0).unwrap().and_utc() - chrono::Duration::hours(7);
    midnight + chrono::Duration::hours(hour.into()) + chrono::Duration::minutes(minute.into())
}
