//! The opening hours of clinics.

use crate::entity::{clinic, hour_exception, operating_hours};
use crate::replies;
use crate::repo::failed;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use store::Tx;
use subjects::Fault;
use subjects::time::Instant;
use subjects::vendor::{HourException, HoursUpdated, OpeningHours, WallTime, Weekday, WeeklyInterval};

/// When a clinic is open.
pub async fn load(db: &impl ConnectionTrait, clinic: &clinic::Model) -> Result<OpeningHours, Fault> {
    let interval_rows = operating_hours::Entity::find()
        .filter(operating_hours::Column::ClinicId.eq(clinic.id))
        .order_by_asc(operating_hours::Column::Day)
        .order_by_asc(operating_hours::Column::Opens)
        .all(db)
        .await
        .map_err(failed)?;
    let exception_rows = hour_exception::Entity::find()
        .filter(hour_exception::Column::ClinicId.eq(clinic.id))
        .order_by_asc(hour_exception::Column::Date)
        .all(db)
        .await
        .map_err(failed)?;

    let mut weekly = Vec::with_capacity(interval_rows.len());
    for row in interval_rows {
        let day = usize::try_from(row.day).ok().and_then(|number| Weekday::ALL.get(number)).copied();
        weekly.push(WeeklyInterval {
            day: day.ok_or_else(|| Fault::internal("the stored day is not one of a week"))?,
            opens: WallTime::from_naive(row.opens),
            closes: WallTime::from_naive(row.closes),
        });
    }
    let mut exceptions = Vec::with_capacity(exception_rows.len());
    for row in exception_rows {
        let intervals = serde_json::from_value(row.intervals).map_err(Fault::internal)?;
        exceptions.push(HourException { date: row.date, intervals, note: row.note });
    }
    Ok(OpeningHours { time_zone: replies::time_zone(&clinic.time_zone)?, weekly, exceptions })
}

/// Replaces when a clinic is open, and tells it. Answers the clinic with its new schedule version, and the hours in
/// the order in which they will be read.
pub async fn replace(
    tx: &Tx,
    clinic: clinic::Model,
    mut weekly: Vec<WeeklyInterval>,
    mut exceptions: Vec<HourException>,
    now: Instant,
) -> Result<(clinic::Model, OpeningHours), Fault> {
    weekly.sort_unstable();
    exceptions.sort_unstable_by_key(|exception| exception.date);
    let clinic_id = clinic.id;
    operating_hours::Entity::delete_many()
        .filter(operating_hours::Column::ClinicId.eq(clinic_id))
        .exec(tx)
        .await
        .map_err(failed)?;
    hour_exception::Entity::delete_many()
        .filter(hour_exception::Column::ClinicId.eq(clinic_id))
        .exec(tx)
        .await
        .map_err(failed)?;

    let interval_rows = weekly.iter().map(|interval| operating_hours::ActiveModel {
        clinic_id: Set(clinic_id),
        day: Set(i16::from(interval.day.number_from_monday())),
        opens: Set(interval.opens.to_naive()),
        closes: Set(interval.closes.to_naive()),
    });
    if !weekly.is_empty() {
        operating_hours::Entity::insert_many(interval_rows).exec(tx).await.map_err(failed)?;
    }
    let mut exception_rows = Vec::with_capacity(exceptions.len());
    for exception in &exceptions {
        exception_rows.push(hour_exception::ActiveModel {
            clinic_id: Set(clinic_id),
            date: Set(exception.date),
            intervals: Set(serde_json::to_value(&exception.intervals).map_err(Fault::internal)?),
            note: Set(exception.note.clone()),
        });
    }
    if !exception_rows.is_empty() {
        hour_exception::Entity::insert_many(exception_rows).exec(tx).await.map_err(failed)?;
    }

    let schedule_version = clinic.schedule_version + 1;
    let mut changed = clinic.into_active_model();
    changed.schedule_updated_at = Set(now);
    changed.schedule_version = Set(schedule_version);
    let clinic = changed.update(tx).await.map_err(failed)?;
    let hours = OpeningHours { time_zone: replies::time_zone(&clinic.time_zone)?, weekly, exceptions };
    tx.emit(&HoursUpdated(replies::hours_state(&clinic, hours.clone()))).await?;
    Ok((clinic, hours))
}
