//! The read models put together into what `vendor.availability` would answer.

use crate::domain::offer::Offer;
use crate::entity::{clinics, service_availability, services, staff, vendors};
use chrono::NaiveDate;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use subjects::ids::{ServiceId, StaffId};
use subjects::time::TimeZone;
use subjects::vendor::{ServiceState, StaffAvailability};
use subjects::{Currency, Fault, Money};

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

/// What the read models say of a service between two dates.
///
/// # Errors
/// A fault of the database, or rows that cannot be read.
pub async fn find(
    db: &impl ConnectionTrait,
    service_id: ServiceId,
    wanted: Option<StaffId>,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Known, Fault> {
    let Some(service) = services::Entity::find_by_id(service_id).one(db).await.map_err(store::Error::from)? else {
        return Ok(Known::Unknown);
    };
    if service.removed_at.is_some() {
        return Ok(Known::Removed);
    }
    let clinic = clinics::Entity::find_by_id(service.clinic_id).one(db).await.map_err(store::Error::from)?;
    let vendor = vendors::Entity::find_by_id(service.vendor_id).one(db).await.map_err(store::Error::from)?;
    let schedule =
        service_availability::Entity::find_by_id(service.clinic_id).one(db).await.map_err(store::Error::from)?;
    let (Some(clinic), Some(vendor), Some(schedule)) = (clinic, vendor, schedule) else { return Ok(Known::Unknown) };

    let is_open_for_business = vendor.open_for_business && vendor.removed_at.is_none();
    let is_clinic_active = clinic.active && clinic.removed_at.is_none();
    let bookable = is_open_for_business && is_clinic_active && service.active;
    let members = if bookable { performers(db, &service, wanted).await? } else { Vec::new() };
    let hours = schedule.hours.0;
    let staff = members
        .into_iter()
        .map(|member| {
            let own_week = member.hours.as_ref().map(|week| week.0.as_slice());
            StaffAvailability { staff_id: member.id, open: hours.worked_between(own_week, first, last) }
        })
        .collect();
    Ok(Known::Offer(Box::new(Offer {
        service: service_state(service)?,
        time_zone: time_zone(&clinic.time_zone)?,
        schedule_version: schedule.version,
        bookable,
        staff,
        provisional: true,
    })))
}

/// The active staff who perform a service at its clinic, by id.
async fn performers(
    db: &impl ConnectionTrait,
    service: &services::Model,
    wanted: Option<StaffId>,
) -> Result<Vec<staff::Model>, store::Error> {
    use staff::Column;
    let performs = Expr::cust_with_values("service_ids @> jsonb_build_array($1::text)", [service.id.to_string()]);
    let works_there =
        Expr::cust_with_values("clinic_ids @> jsonb_build_array($1::text)", [service.clinic_id.to_string()]);
    let query = staff::Entity::find()
        .filter(performs)
        .filter(works_there)
        .filter(Column::Active.eq(true))
        .filter(Column::RemovedAt.is_null())
        .filter(Condition::all().add_option(wanted.map(|wanted| Column::Id.eq(wanted))))
        .order_by_asc(Column::Id);
    Ok(query.all(db).await?)
}

fn service_state(row: services::Model) -> Result<ServiceState, Fault> {
    let services::Model {
        id,
        version,
        removed_at: _,
        vendor_id,
        clinic_id,
        name,
        duration_minutes,
        buffer_before_minutes,
        buffer_after_minutes,
        capacity,
        price_amount,
        price_currency,
        active,
    } = row;
    Ok(ServiceState {
        service_id: id,
        clinic_id,
        vendor_id,
        name,
        duration_minutes: small(duration_minutes)?,
        buffer_before_minutes: small(buffer_before_minutes)?,
        buffer_after_minutes: small(buffer_after_minutes)?,
        price: money(price_amount, &price_currency)?,
        capacity: small(capacity)?,
        active,
        version,
    })
}

fn small(number: i32) -> Result<u16, Fault> {
    u16::try_from(number).map_err(Fault::internal)
}

/// An amount as two columns hold it.
///
/// # Errors
/// `internal` for a currency that the platform does not take.
pub fn money(amount: i64, currency: &str) -> Result<Money, Fault> {
    let currency = Currency::parse(currency).ok_or_else(|| Fault::internal(format!("stored currency {currency}")))?;
    Ok(Money { amount, currency })
}

/// A zone as a column holds it.
///
/// # Errors
/// `internal` for a name that the IANA database does not have.
pub fn time_zone(name: &str) -> Result<TimeZone, Fault> {
    TimeZone::parse(name).ok_or_else(|| Fault::internal(format!("stored time zone {name}")))
}
