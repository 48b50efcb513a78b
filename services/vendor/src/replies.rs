//! Rows as the contract shows them, in replies and in events.

use crate::entity::{clinic, membership, service, vendor};
use crate::repo::staff::{self, StaffMember};
use subjects::time::TimeZone;
use subjects::vendor::{
    Address, BookingPolicy, Clinic, ClinicState, Coordinates, HoursState, Membership, MembershipState,
    MembershipStatus, OpeningHours, Service, ServiceState, Staff, StaffState, Vendor, VendorKind, VendorState,
};
use subjects::{Currency, Fault, Money};

/// A vendor. The reason of its status is for those who see what the public does not.
pub fn vendor(row: vendor::Model, shows_reason: bool) -> Vendor {
    Vendor {
        id: row.id,
        name: row.name,
        kind: row.kind,
        description: row.description,
        email: row.email,
        phone: row.phone,
        website: row.website,
        status: row.status,
        status_reason: row.status_reason.filter(|_| shows_reason),
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}

/// A vendor as events tell it.
pub fn vendor_state(row: &vendor::Model) -> VendorState {
    VendorState { vendor_id: row.id, kind: row.kind, status: row.status, removed: false, version: row.version }
}

/// A membership.
pub fn membership(row: membership::Model) -> Membership {
    Membership {
        id: row.id,
        vendor_id: row.vendor_id,
        clinic_id: row.clinic_id,
        user_id: row.user_id,
        role: row.role,
        status: row.status,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    }
}

/// A membership as events tell it.
pub fn membership_state(row: &membership::Model) -> MembershipState {
    MembershipState {
        membership_id: row.id,
        user_id: row.user_id,
        vendor_id: row.vendor_id,
        clinic_id: row.clinic_id,
        role: row.role,
        active: row.status == MembershipStatus::Active,
        version: row.version,
    }
}

/// A clinic.
///
/// # Errors
/// The stored zone is not one that this build knows.
pub fn clinic(row: clinic::Model, kind: VendorKind) -> Result<Clinic, Fault> {
    let coordinates = match (row.latitude, row.longitude) {
        (Some(latitude), Some(longitude)) => Some(Coordinates { latitude, longitude }),
        _ => None,
    };
    let policy = policy(&row);
    Ok(Clinic {
        id: row.id,
        vendor_id: row.vendor_id,
        kind,
        name: row.name,
        description: row.description,
        phone: row.phone,
        address: Address {
            street: row.street,
            district: row.district,
            city: row.city,
            province: row.province,
            postal_code: row.postal_code,
            country: row.country,
        },
        coordinates,
        time_zone: time_zone(&row.time_zone)?,
        policy,
        active: row.active,
        distance_km: None,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

/// A clinic's rules for bookings.
pub fn policy(row: &clinic::Model) -> BookingPolicy {
    policy_of(
        row.confirm_within_minutes,
        (row.cancel_notice_minutes, row.cancel_fee_percent),
        (row.reschedule_notice_minutes, row.reschedule_fee_percent),
    )
}

/// Rules for bookings: minutes to confirm, and notice in minutes and fee in percent for cancelling and for moving.
pub fn policy_of(confirm_within: i32, cancelling: (i32, i32), moving: (i32, i32)) -> BookingPolicy {
    BookingPolicy {
        confirm_within_minutes: large(confirm_within),
        cancel_notice_minutes: large(cancelling.0),
        cancel_fee_percent: percent(cancelling.1),
        reschedule_notice_minutes: large(moving.0),
        reschedule_fee_percent: percent(moving.1),
    }
}

/// A clinic as events tell it.
///
/// # Errors
/// The stored zone is not one that this build knows.
pub fn clinic_state(row: &clinic::Model) -> Result<ClinicState, Fault> {
    Ok(ClinicState {
        clinic_id: row.id,
        vendor_id: row.vendor_id,
        name: row.name.clone(),
        time_zone: time_zone(&row.time_zone)?,
        policy: policy(row),
        active: row.active,
        removed: false,
        version: row.version,
    })
}

/// A clinic's schedule as events tell it.
pub fn hours_state(clinic: &clinic::Model, hours: OpeningHours) -> HoursState {
    let version = clinic.schedule_version;
    HoursState { clinic_id: clinic.id, vendor_id: clinic.vendor_id, hours, removed: false, version }
}

/// A service.
///
/// # Errors
/// The stored currency is not one that this build knows.
pub fn service(row: service::Model) -> Result<Service, Fault> {
    let price = price(&row)?;
    Ok(Service {
        id: row.id,
        clinic_id: row.clinic_id,
        vendor_id: row.vendor_id,
        name: row.name,
        description: row.description,
        duration_minutes: small(row.duration_minutes),
        buffer_before_minutes: small(row.buffer_before_minutes),
        buffer_after_minutes: small(row.buffer_after_minutes),
        price,
        capacity: small(row.capacity),
        slot_step_minutes: small(row.slot_step_minutes),
        minimum_notice_minutes: large(row.minimum_notice_minutes),
        booking_window_days: small(row.booking_window_days),
        active: row.active,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

/// A service as events tell it.
///
/// # Errors
/// The stored currency is not one that this build knows.
pub fn service_state(row: &service::Model) -> Result<ServiceState, Fault> {
    Ok(ServiceState {
        service_id: row.id,
        clinic_id: row.clinic_id,
        vendor_id: row.vendor_id,
        name: row.name.clone(),
        duration_minutes: small(row.duration_minutes),
        buffer_before_minutes: small(row.buffer_before_minutes),
        buffer_after_minutes: small(row.buffer_after_minutes),
        price: price(row)?,
        capacity: small(row.capacity),
        slot_step_minutes: small(row.slot_step_minutes),
        minimum_notice_minutes: large(row.minimum_notice_minutes),
        booking_window_days: small(row.booking_window_days),
        active: row.active,
        version: row.version,
    })
}

/// A staff member. The account behind it is for those who see what the public does not.
///
/// # Errors
/// The stored week is not one.
pub fn staff(member: StaffMember, shows_account: bool) -> Result<Staff, Fault> {
    let row = member.row;
    let (hours, exceptions) = (staff::own_week(&row)?, staff::exceptions(&row)?);
    Ok(Staff {
        id: row.id,
        vendor_id: row.vendor_id,
        clinic_ids: member.clinic_ids,
        service_ids: member.service_ids,
        display_name: row.display_name,
        title: row.title,
        user_id: row.user_id.filter(|_| shows_account),
        hours,
        exceptions,
        active: row.active,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

/// A staff member as events tell them.
///
/// # Errors
/// The stored week is not one.
pub fn staff_state(member: &StaffMember) -> Result<StaffState, Fault> {
    Ok(StaffState {
        staff_id: member.row.id,
        vendor_id: member.row.vendor_id,
        clinic_ids: member.clinic_ids.clone(),
        service_ids: member.service_ids.clone(),
        hours: staff::own_week(&member.row)?,
        exceptions: staff::exceptions(&member.row)?,
        active: member.row.active,
        version: member.row.version,
    })
}

/// A zone by its stored name.
///
/// # Errors
/// It is not one that this build knows.
pub fn time_zone(name: &str) -> Result<TimeZone, Fault> {
    TimeZone::parse(name).ok_or_else(|| Fault::internal(format!("the stored time zone {name} is not known")))
}

fn price(row: &service::Model) -> Result<Money, Fault> {
    let currency = Currency::parse(&row.price_currency)
        .ok_or_else(|| Fault::internal(format!("the stored currency {} is not known", row.price_currency)))?;
    Ok(Money { amount: row.price_amount, currency })
}

/// A number that the database keeps between 0 and 1440.
fn small(number: i32) -> u16 {
    u16::try_from(number.max(0)).unwrap_or(u16::MAX)
}

/// A number that the database keeps from being negative.
fn large(number: i32) -> u32 {
    number.max(0).unsigned_abs()
}

/// A number that the database keeps between 0 and 100.
fn percent(number: i32) -> u8 {
    u8::try_from(number.clamp(0, 100)).unwrap_or(100)
}
