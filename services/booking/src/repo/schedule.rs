//! The read models of schedules, read together.

use super::offers::{money, time_zone};
use crate::domain::schedule::{ClinicSchedule, KnownService, Schedule};
use crate::entity::clinics::Policy;
use crate::entity::service_availability::Hours;
use crate::entity::{services, staff};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder};
use serde::Deserialize;
use store::{id_list, statement};
use subjects::Fault;
use subjects::ids::{ClinicId, ServiceId, StaffId, VendorId};
use subjects::vendor::{ServiceState, StaffState};

/// What of a clinic's services is read.
#[derive(Debug, Clone, Copy)]
enum Services<'a> {
    /// All of a clinic.
    Of(ClinicId),
    /// These.
    Only(&'a [ServiceId]),
}

/// Services with their clinics, and all who perform one of them, or one staff member.
///
/// # Errors
/// A fault of the database, or rows that cannot be read; so have the others here.
pub async fn of_service(
    db: &impl ConnectionTrait,
    service_id: ServiceId,
    wanted: Option<StaffId>,
) -> Result<Schedule, Fault> {
    let clinics = clinics(db, Services::Only(&[service_id])).await?;
    if clinics.is_empty() {
        return Ok(Schedule::default());
    }
    let performs = Expr::cust_with_values("service_ids @> jsonb_build_array($1::text)", [service_id.to_string()]);
    let staff = staff_where(db, Condition::all().add(performs).add_option(is_one(wanted))).await?;
    Ok(Schedule { clinics, staff })
}

/// A clinic with all its services and staff, or one of them.
pub async fn of_clinic(
    db: &impl ConnectionTrait,
    clinic_id: ClinicId,
    wanted: Option<StaffId>,
) -> Result<Schedule, Fault> {
    let clinics = clinics(db, Services::Of(clinic_id)).await?;
    let works_there = Expr::cust_with_values("clinic_ids @> jsonb_build_array($1::text)", [clinic_id.to_string()]);
    let staff = staff_where(db, Condition::all().add(works_there).add_option(is_one(wanted))).await?;
    Ok(Schedule { clinics, staff })
}

/// A staff member with the services that they perform, at all of their clinics.
pub async fn of_staff_member(db: &impl ConnectionTrait, staff_id: StaffId) -> Result<Schedule, Fault> {
    let staff = staff_where(db, Condition::all().add(staff::Column::Id.eq(staff_id))).await?;
    let service_ids: Vec<ServiceId> = staff.iter().flat_map(|member| member.service_ids.iter().copied()).collect();
    Ok(Schedule { clinics: clinics(db, Services::Only(&service_ids)).await?, staff })
}

/// What some bookings depend on: their services and staff.
pub async fn of_bookings(
    db: &impl ConnectionTrait,
    service_ids: impl IntoIterator<Item = ServiceId>,
    staff_ids: impl IntoIterator<Item = StaffId>,
) -> Result<Schedule, Fault> {
    let service_ids: Vec<ServiceId> = service_ids.into_iter().collect();
    let clinics = clinics(db, Services::Only(&service_ids)).await?;
    let those = staff::Column::Id.is_in(staff_ids);
    Ok(Schedule { clinics, staff: staff_where(db, Condition::all().add(those)).await? })
}

fn is_one(wanted: Option<StaffId>) -> Option<sea_orm::sea_query::SimpleExpr> {
    wanted.map(|wanted| staff::Column::Id.eq(wanted))
}

// One row a clinic, with its services as one value: the hours of a clinic are not repeated for each of them.
macro_rules! clinics_sql {
    ($clinics:literal, $services:literal) => {
        concat!(
            "select clinics.id, clinics.vendor_id, clinics.time_zone, clinics.policy, ",
            "clinics.active and clinics.removed_at is null and vendors.open_for_business ",
            "and vendors.removed_at is null as takes_bookings, ",
            "service_availability.version as schedule_version, service_availability.hours, offered.services ",
            "from clinics join vendors on vendors.id = clinics.vendor_id ",
            "join service_availability on service_availability.id = clinics.id ",
            "cross join lateral (select coalesce(jsonb_agg(to_jsonb(services)), '[]') as services ",
            "from services where services.clinic_id = clinics.id",
            $services,
            ") as offered where ",
            $clinics,
        )
    };
}

const ALL_OF_A_CLINIC: &str = clinics_sql!("clinics.id = $1", "");
const SOME_SERVICES: &str = clinics_sql!(
    "clinics.id in (select clinic_id from services where services.id = any(string_to_array($1, ',')::uuid[]))",
    " and services.id = any(string_to_array($1, ',')::uuid[])"
);

async fn clinics(db: &impl ConnectionTrait, wanted: Services<'_>) -> Result<Vec<ClinicSchedule>, Fault> {
    let query = match wanted {
        Services::Of(clinic_id) => statement(ALL_OF_A_CLINIC, vec![clinic_id.into()]),
        Services::Only(service_ids) => statement(SOME_SERVICES, vec![id_list(service_ids).into()]),
    };
    let rows = db.query_all_raw(query).await.map_err(store::Error::from)?;
    let mut clinics = Vec::with_capacity(rows.len());
    for row in rows {
        let row = ClinicRow::from_query_result(&row, "").map_err(store::Error::from)?;
        clinics.push(clinic(row)?);
    }
    Ok(clinics)
}

#[derive(FromQueryResult)]
struct ClinicRow {
    id: ClinicId,
    vendor_id: VendorId,
    time_zone: String,
    policy: Policy,
    takes_bookings: bool,
    schedule_version: i64,
    hours: Hours,
    services: serde_json::Value,
}

fn clinic(row: ClinicRow) -> Result<ClinicSchedule, Fault> {
    let ClinicRow { id, vendor_id, time_zone: zone_name, policy, takes_bookings, schedule_version, hours, services } =
        row;
    let services = Vec::<services::Model>::deserialize(services).map_err(Fault::internal)?;
    let services: Result<Vec<KnownService>, Fault> = services.into_iter().map(known_service).collect();
    Ok(ClinicSchedule {
        clinic_id: id,
        vendor_id,
        time_zone: time_zone(&zone_name)?,
        policy: policy.0,
        takes_bookings,
        schedule_version,
        hours: hours.0,
        services: services?,
    })
}

async fn staff_where(db: &impl ConnectionTrait, condition: Condition) -> Result<Vec<StaffState>, Fault> {
    let query = staff::Entity::find().filter(condition).order_by_asc(staff::Column::Id);
    let rows = query.all(db).await.map_err(store::Error::from)?;
    Ok(rows.into_iter().map(staff_state).collect())
}

fn staff_state(row: staff::Model) -> StaffState {
    let staff::Model { id, version, removed_at, vendor_id, clinic_ids, service_ids, hours, exceptions, active } = row;
    StaffState {
        staff_id: id,
        vendor_id,
        clinic_ids: clinic_ids.0,
        service_ids: service_ids.0,
        hours: hours.map(|week| week.0),
        exceptions: exceptions.0,
        active: active && removed_at.is_none(),
        version,
    }
}

fn known_service(row: services::Model) -> Result<KnownService, Fault> {
    let services::Model {
        id,
        version,
        removed_at,
        vendor_id,
        clinic_id,
        name,
        duration_minutes,
        buffer_before_minutes,
        buffer_after_minutes,
        capacity,
        price_amount,
        price_currency,
        slot_step_minutes,
        minimum_notice_minutes,
        booking_window_days,
        active,
    } = row;
    let state = ServiceState {
        service_id: id,
        clinic_id,
        vendor_id,
        name,
        duration_minutes: small(duration_minutes)?,
        buffer_before_minutes: small(buffer_before_minutes)?,
        buffer_after_minutes: small(buffer_after_minutes)?,
        price: money(price_amount, &price_currency)?,
        capacity: small(capacity)?,
        slot_step_minutes: small(slot_step_minutes)?,
        minimum_notice_minutes: u32::try_from(minimum_notice_minutes).map_err(Fault::internal)?,
        booking_window_days: small(booking_window_days)?,
        active,
        version,
    };
    Ok(KnownService { state, removed: removed_at.is_some() })
}

fn small(number: i32) -> Result<u16, Fault> {
    u16::try_from(number).map_err(Fault::internal)
}
