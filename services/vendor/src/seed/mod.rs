//! Demo data: about twenty clinics in three cities and three time zones, through the same code as requests, so that
//! every row is told in events too.

mod data;

use crate::Cx;
use crate::domain::approval::{Step, decide};
use crate::entity::membership;
use crate::repo::clinics::ClinicProfile;
use crate::repo::memberships::NewMembership;
use crate::repo::services::ServiceProfile;
use crate::repo::staff::StaffProfile;
use crate::repo::vendors::VendorProfile;
use crate::repo::{clinics, hours, memberships, services, staff, vendors};
use data::{DemoClinic, DemoService, DemoVendor, DemoWeek};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use sha2::{Digest, Sha256};
use store::Tx;
use subjects::ids::{ClinicId, MembershipId, ServiceId, StaffId, UserId, VendorId};
use subjects::time::{Instant, TimeZone};
use subjects::vendor::{
    Address, BookingPolicy, Coordinates, MembershipStatus, VendorError, VendorKind, WallTime, Weekday, WeeklyInterval,
    WorkingInterval,
};
use subjects::{Fault, MembershipRole, Money};
use uuid::Uuid;

/// The millisecond from which the demo's ids are: 1 January 2025, 00:00 UTC.
const IDS_FROM_MILLISECOND: u64 = 1_735_689_600_000;

/// Someone who gets a membership at every vendor of the demo.
#[derive(Debug, Clone, Copy)]
pub struct DemoMember {
    /// The user, who exists at the auth service.
    pub user_id: UserId,
    /// What they may do.
    pub role: MembershipRole,
}

/// What seeding has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seeded {
    /// Vendors that were made.
    pub vendors_made: usize,
    /// Vendors that had been there already.
    pub vendors_found: usize,
    /// Clinics of the demo, old and new.
    pub clinics: usize,
}

/// Makes the demo's vendors, each in one transaction, where they are not there yet, and gives the members their
/// memberships. Doing it again changes nothing.
///
/// Outside a running service the context comes from [`platform::Setup::cx`].
///
/// # Errors
/// Those of the database.
pub async fn demo_clinics(cx: &Cx, members: &[DemoMember]) -> Result<Seeded, Fault> {
    let mut seeded = Seeded::default();
    for vendor in data::VENDORS {
        let made = cx
            .app
            .store
            .write(cx, |tx| async move {
                let is_new = vendors::lock(&tx, vendor_id(vendor.key)).await?.is_none();
                if is_new {
                    add_vendor(&tx, vendor).await?;
                }
                add_members(&tx, vendor_id(vendor.key), members).await?;
                Ok::<bool, VendorError>(is_new)
            })
            .await
            .map_err(subjects::ServiceError::into_fault)?;
        if made {
            seeded.vendors_made += 1;
        } else {
            seeded.vendors_found += 1;
        }
        seeded.clinics += vendor.clinics.len();
    }
    Ok(seeded)
}

/// The ids of the demo's vendors, each with those of its clinics.
pub fn vendors_and_clinics() -> Vec<(VendorId, Vec<ClinicId>)> {
    let clinics_of = |vendor: &DemoVendor| vendor.clinics.iter().map(|clinic| clinic_id(clinic.name)).collect();
    data::VENDORS.iter().map(|vendor| (vendor_id(vendor.key), clinics_of(vendor))).collect()
}

/// The id of a demo vendor by its key, for tests and benchmarks.
pub fn vendor_id(key: &str) -> VendorId {
    VendorId(demo_id(&["vendor", key]))
}

/// The id of a demo clinic by its name.
pub fn clinic_id(clinic_name: &str) -> ClinicId {
    ClinicId(demo_id(&["clinic", clinic_name]))
}

/// The id of a service of a demo clinic by both names.
pub fn service_id(clinic_name: &str, service_name: &str) -> ServiceId {
    ServiceId(demo_id(&["service", clinic_name, service_name]))
}

async fn add_vendor(tx: &Tx, demo: &DemoVendor) -> Result<(), VendorError> {
    let now = store::now();
    let profile = VendorProfile {
        name: demo.name.to_owned(),
        kind: demo.kind,
        description: Some(demo.description.to_owned()),
        email: Some(format!("halo@{}.example", demo.key)),
        phone: None,
        website: Some(format!("https://{}.example", demo.key)),
    };
    let mut row = vendors::insert(tx, vendor_id(demo.key), profile, now).await?;
    for clinic in demo.clinics {
        add_clinic(tx, demo, clinic, now).await?;
    }
    for step in [Step::Submit, Step::Approve] {
        decide(row.status, row.status_reason.as_deref(), step)?;
        row = vendors::set_status(tx, row, step.target(), step.reason(), now).await?;
    }
    Ok(())
}

async fn add_clinic(tx: &Tx, vendor: &DemoVendor, demo: &DemoClinic, now: Instant) -> Result<(), VendorError> {
    let (latitude, longitude) = demo.point;
    let time_zone = TimeZone::parse(vendor.city.time_zone)
        .ok_or_else(|| Fault::internal("the demo names a time zone that is not known"))?;
    let profile = ClinicProfile {
        name: demo.name.to_owned(),
        description: Some(vendor.description.to_owned()),
        phone: None,
        address: Address {
            street: demo.street.to_owned(),
            district: Some(demo.district.to_owned()),
            city: vendor.city.name.to_owned(),
            province: Some(vendor.city.province.to_owned()),
            postal_code: None,
            country: "ID".to_owned(),
        },
        coordinates: Some(Coordinates { latitude, longitude }),
        time_zone,
        policy: policy(vendor.kind),
        active: true,
    };
    let id = clinic_id(demo.name);
    let row = clinics::insert(tx, id, vendor_id(vendor.key), profile, now).await?;
    hours::replace(tx, row, week(demo.week), Vec::new(), now).await?;

    let place = (id, vendor_id(vendor.key));
    let offered = data::services_of(vendor.kind);
    for service in offered {
        services::insert(tx, service_id(demo.name, service.name), place, service_profile(service), now).await?;
    }
    let service_ids: Vec<ServiceId> = offered.iter().map(|service| service_id(demo.name, service.name)).collect();
    for (index, name) in demo.staff.iter().enumerate() {
        let is_vet = matches!(vendor.kind, VendorKind::Clinic);
        // The second of a clinic's staff comes in the afternoons only, so that staff differ in when they are free.
        let comes_afternoons_only = index == 1 && demo.week != DemoWeek::Always;
        let profile = StaffProfile {
            display_name: (*name).to_owned(),
            title: is_vet.then(|| "drh.".to_owned()),
            clinic_ids: vec![id],
            service_ids: service_ids.clone(),
            user_id: None,
            hours: comes_afternoons_only.then(afternoons),
            exceptions: Vec::new(),
            active: true,
        };
        let staff_id = StaffId(demo_id(&["staff", demo.name, name]));
        staff::insert(tx, staff_id, vendor_id(vendor.key), profile, now).await?;
    }
    Ok(())
}

fn service_profile(demo: &DemoService) -> ServiceProfile {
    ServiceProfile {
        name: demo.name.to_owned(),
        description: Some(demo.description.to_owned()),
        duration_minutes: demo.duration,
        buffer_before_minutes: 0,
        buffer_after_minutes: demo.buffer_after,
        price: Money::idr(demo.price),
        capacity: demo.capacity,
        slot_step_minutes: 15,
        minimum_notice_minutes: 0,
        booking_window_days: 180,
        active: true,
    }
}

/// Those who keep a place for a whole day want to know in time when nobody comes.
fn policy(kind: VendorKind) -> BookingPolicy {
    match kind {
        VendorKind::Sitter => BookingPolicy {
            cancel_notice_minutes: 1_440,
            cancel_fee_percent: 50,
            reschedule_notice_minutes: 720,
            reschedule_fee_percent: 25,
            ..BookingPolicy::default()
        },
        VendorKind::Clinic | VendorKind::Groomer | VendorKind::Shop => BookingPolicy::default(),
    }
}

async fn add_members(tx: &Tx, vendor_id: VendorId, members: &[DemoMember]) -> Result<(), VendorError> {
    let present: Vec<membership::Model> = membership::Entity::find()
        .filter(membership::Column::VendorId.eq(vendor_id))
        .filter(membership::Column::Status.ne(MembershipStatus::Revoked))
        .all(tx)
        .await
        .map_err(store::Error::from)?;
    for DemoMember { user_id, role } in members.iter().copied() {
        if present.iter().any(|row| row.user_id == user_id && row.clinic_id.is_none()) {
            continue;
        }
        let status = MembershipStatus::Active;
        let new = NewMembership { id: MembershipId::new(), vendor_id, clinic_id: None, user_id, role, status };
        memberships::insert(tx, new, store::now()).await?;
    }
    Ok(())
}

fn week(week: DemoWeek) -> Vec<WeeklyInterval> {
    let every_day = |opens, closes| Weekday::ALL.map(|day| WeeklyInterval { day, opens, closes }).to_vec();
    match week {
        DemoWeek::Mall => every_day(at(10), at(20)),
        DemoWeek::Late => every_day(at(12), at(2)),
        DemoWeek::Always => every_day(WallTime::MIDNIGHT, WallTime::MIDNIGHT),
        DemoWeek::Usual => Weekday::ALL
            .into_iter()
            .flat_map(|day| match day {
                Weekday::Sunday => Vec::new(),
                Weekday::Friday => {
                    vec![
                        WeeklyInterval { day, opens: at(8), closes: at(11) },
                        WeeklyInterval { day, opens: at(13), closes: at(17) },
                    ]
                }
                Weekday::Saturday => vec![WeeklyInterval { day, opens: at(8), closes: at(13) }],
                _ => vec![WeeklyInterval { day, opens: at(8), closes: at(17) }],
            })
            .collect(),
    }
}

fn afternoons() -> Vec<WorkingInterval> {
    Weekday::ALL.map(|day| WorkingInterval { day, opens: at(12), closes: at(20), clinic_id: None }).to_vec()
}

fn at(hour: u16) -> WallTime {
    WallTime::new(hour, 0).unwrap_or(WallTime::MIDNIGHT)
}

/// An id of version 7 that is always the same for the same names.
fn demo_id(names: &[&str]) -> Uuid {
    let digest = Sha256::digest(names.join("\n"));
    let mut tail = [0_u8; 10];
    for (byte, hashed) in tail.iter_mut().zip(digest) {
        *byte = hashed;
    }
    uuid::Builder::from_unix_timestamp_millis(IDS_FROM_MILLISECOND, &tail).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_never_change_and_are_never_shared() {
        assert_eq!(vendor_id("losari"), vendor_id("losari"));
        assert_eq!(vendor_id("losari").0.get_version_num(), 7);
        let mut ids = BTreeSet::new();
        let mut count = 0;
        for vendor in data::VENDORS {
            ids.insert(vendor_id(vendor.key).0);
            count += 1;
            for clinic in vendor.clinics {
                ids.insert(clinic_id(clinic.name).0);
                count += 1;
            }
        }
        assert_eq!(ids.len(), count);
    }

    #[test]
    fn about_twenty_clinics_in_three_zones() {
        let clinics: usize = data::VENDORS.iter().map(|vendor| vendor.clinics.len()).sum();
        assert_eq!(clinics, 20);
        let zones: BTreeSet<&str> = data::VENDORS.iter().map(|vendor| vendor.city.time_zone).collect();
        assert_eq!(zones.len(), 3);
        assert!(zones.iter().all(|zone| TimeZone::parse(zone).is_some()));
    }
}
