//! What `vendor.availability` answers from, in one round trip: every booking asks for it.

use crate::entity::service;
use crate::replies;
use crate::repo::hours;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};
use subjects::Fault;
use subjects::ids::{ClinicId, ServiceId, StaffId, VendorId};
use subjects::time::TimeZone;
use subjects::vendor::{BookingPolicy, OpeningHours, WorkingException, WorkingInterval};

/// A clinic with what can be booked there.
#[derive(Debug, Clone)]
pub struct Bookable {
    /// The clinic.
    pub clinic_id: ClinicId,
    /// Its vendor.
    pub vendor_id: VendorId,
    /// The zone of its wall clocks.
    pub time_zone: TimeZone,
    /// Its rules for bookings.
    pub policy: BookingPolicy,
    /// The version of its opening hours.
    pub schedule_version: i64,
    /// Whether vendor, clinic and service can be booked at all. Hours and staff are empty where not.
    pub bookable: bool,
    /// When it is open.
    pub hours: OpeningHours,
    /// The active staff who fit the question, by id.
    pub staff: Vec<Working>,
    /// The service that was asked for, if it is one of this clinic.
    pub service: Option<service::Model>,
}

/// When a staff member works.
#[derive(Debug, Clone)]
pub struct Working {
    /// Who.
    pub staff_id: StaffId,
    /// Their own week.
    pub week: Option<Vec<WorkingInterval>>,
    /// The dates of their own, in order.
    pub exceptions: Vec<WorkingException>,
}

/// $1 is the service, $2 the clinic; without a clinic it is the service's. The text says which staff fit.
macro_rules! bookable_with_staff {
    ($who_fits:literal) => {
        concat!(
            "select clinic.id, clinic.vendor_id, clinic.time_zone, clinic.confirm_within_minutes,
                clinic.cancel_notice_minutes, clinic.cancel_fee_percent, clinic.reschedule_notice_minutes,
                clinic.reschedule_fee_percent, clinic.schedule_version, known.bookable,
                case when known.bookable then (",
            hours::weekly!(),
            ") end,
                case when known.bookable then (",
            hours::exceptions!(),
            ") end,
                case when known.bookable then (
                    select json_agg(json_build_array(staff.id, staff.hours, staff.exceptions) order by staff.id)::text
                    from staff where staff.active and ",
            $who_fits,
            ") end,
                service.id, service.clinic_id, service.vendor_id, service.name, service.description,
                service.duration_minutes, service.buffer_before_minutes, service.buffer_after_minutes,
                service.price_amount, service.price_currency, service.capacity, service.slot_step_minutes,
                service.minimum_notice_minutes, service.booking_window_days, service.active, service.created_at,
                service.updated_at, service.version
            from clinics as clinic
            join vendors as vendor on vendor.id = clinic.vendor_id
            left join clinic_services as service on service.id = $1 and service.clinic_id = clinic.id
            cross join lateral (
                select vendor.status = 'approved' and clinic.active and coalesce(service.active, true) as bookable
            ) as known
            where clinic.id = coalesce($2, (select asked.clinic_id from clinic_services as asked where asked.id = $1))"
        )
    };
}

// Who performs a service works at its clinic: the keys of the tables say so.
const ALL_OF_SERVICE: &str =
    bookable_with_staff!("staff.id in (select link.staff_id from staff_services as link where link.service_id = $1)");
const ONE_OF_SERVICE: &str = bookable_with_staff!(
    "staff.id = $3
    and exists (select from staff_services as link where link.staff_id = staff.id and link.service_id = $1)"
);
const ALL_OF_CLINIC: &str = bookable_with_staff!(
    "staff.id in (select link.staff_id from staff_clinics as link where link.clinic_id = clinic.id)"
);
const ONE_OF_CLINIC: &str = bookable_with_staff!(
    "staff.id = $3
    and exists (select from staff_clinics as link where link.staff_id = staff.id and link.clinic_id = clinic.id)"
);

/// Reads a clinic, or that of a service, with its hours and the staff who fit: those who perform the service where one
/// is named, and only one where one is named.
pub async fn find(
    db: &impl ConnectionTrait,
    clinic_id: Option<ClinicId>,
    service_id: Option<ServiceId>,
    staff_id: Option<StaffId>,
) -> Result<Option<Bookable>, Fault> {
    let mut values: Vec<Value> = vec![service_id.into(), clinic_id.into()];
    values.extend(staff_id.map(Value::from));
    let sql = match (service_id, staff_id) {
        (Some(_), None) => ALL_OF_SERVICE,
        (Some(_), Some(_)) => ONE_OF_SERVICE,
        (None, None) => ALL_OF_CLINIC,
        (None, Some(_)) => ONE_OF_CLINIC,
    };
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = db.query_one_raw(statement).await.map_err(super::failed)?;
    row.as_ref().map(read).transpose()
}

fn read(row: &QueryResult) -> Result<Bookable, Fault> {
    let time_zone: String = row.try_get_by_index(2).map_err(super::failed)?;
    let time_zone = replies::time_zone(&time_zone)?;
    let (weekly, exceptions, staff) = texts(row).map_err(super::failed)?;
    let policy =
        replies::policy_of(number(row, 3)?, (number(row, 4)?, number(row, 5)?), (number(row, 6)?, number(row, 7)?));
    Ok(Bookable {
        clinic_id: row.try_get_by_index(0).map_err(super::failed)?,
        vendor_id: row.try_get_by_index(1).map_err(super::failed)?,
        time_zone,
        policy,
        schedule_version: row.try_get_by_index(8).map_err(super::failed)?,
        bookable: row.try_get_by_index(9).map_err(super::failed)?,
        hours: hours::read(time_zone, weekly.as_deref(), exceptions.as_deref())?,
        staff: working(staff.as_deref())?,
        service: service(row).map_err(super::failed)?,
    })
}

fn number(row: &QueryResult, column: usize) -> Result<i32, Fault> {
    row.try_get_by_index(column).map_err(super::failed)
}

type Text = Option<String>;

fn texts(row: &QueryResult) -> Result<(Text, Text, Text), DbErr> {
    Ok((row.try_get_by_index(10)?, row.try_get_by_index(11)?, row.try_get_by_index(12)?))
}

fn working(staff: Option<&str>) -> Result<Vec<Working>, Fault> {
    type Member = (StaffId, Option<Vec<WorkingInterval>>, Vec<WorkingException>);
    let Some(staff) = staff else { return Ok(Vec::new()) };
    let members: Vec<Member> = serde_json::from_str(staff).map_err(Fault::internal)?;
    Ok(members.into_iter().map(|(staff_id, week, exceptions)| Working { staff_id, week, exceptions }).collect())
}

fn service(row: &QueryResult) -> Result<Option<service::Model>, DbErr> {
    let id: Option<ServiceId> = row.try_get_by_index(13)?;
    let Some(id) = id else { return Ok(None) };
    Ok(Some(service::Model {
        id,
        clinic_id: row.try_get_by_index(14)?,
        vendor_id: row.try_get_by_index(15)?,
        name: row.try_get_by_index(16)?,
        description: row.try_get_by_index(17)?,
        duration_minutes: row.try_get_by_index(18)?,
        buffer_before_minutes: row.try_get_by_index(19)?,
        buffer_after_minutes: row.try_get_by_index(20)?,
        price_amount: row.try_get_by_index(21)?,
        price_currency: row.try_get_by_index(22)?,
        capacity: row.try_get_by_index(23)?,
        slot_step_minutes: row.try_get_by_index(24)?,
        minimum_notice_minutes: row.try_get_by_index(25)?,
        booking_window_days: row.try_get_by_index(26)?,
        active: row.try_get_by_index(27)?,
        created_at: row.try_get_by_index(28)?,
        updated_at: row.try_get_by_index(29)?,
        version: row.try_get_by_index(30)?,
    }))
}
