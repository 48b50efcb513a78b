//! What the read models say of a service, as `vendor.availability` would answer it.

use super::schedule;
use crate::domain::schedule::Known;
use chrono::NaiveDate;
use sea_orm::ConnectionTrait;
use subjects::ids::{ServiceId, StaffId};
use subjects::time::TimeZone;
use subjects::{Currency, Fault, Money};

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
    Ok(schedule::of_service(db, service_id, wanted).await?.known(service_id, wanted, first, last))
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
