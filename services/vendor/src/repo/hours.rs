//! The opening hours of clinics.

use crate::entity::{clinic, hour_exception, operating_hours};
use crate::replies;
use crate::repo::failed;
use sea_orm::ActiveValue::Set;
use sea_orm::prelude::Time as NaiveTime;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IntoActiveModel, QueryFilter, Statement,
};
use store::Tx;
use subjects::Fault;
use subjects::time::{Instant, TimeZone};
use subjects::vendor::{HourException, HoursUpdated, OpeningHours, WallTime, Weekday, WeeklyInterval};

/// The usual week of `clinic` as text: an array of day, opening and closing time for each interval.
macro_rules! weekly {
    () => {
        "select json_agg(json_build_array(week.day, week.opens, week.closes) order by week.day, week.opens)::text
        from operating_hours as week where week.clinic_id = clinic.id"
    };
}
pub(super) use weekly;

/// The dates of `clinic` as text, as the contract writes them.
macro_rules! exceptions {
    () => {
        "select json_agg(json_build_object('date', dated.date, 'intervals', dated.intervals, 'note', dated.note)
            order by dated.date)::text
        from hour_exceptions as dated where dated.clinic_id = clinic.id"
    };
}
pub(super) use exceptions;

const LOAD: &str =
    concat!("select (", weekly!(), "), (", exceptions!(), ") from clinics as clinic where clinic.id = $1");

/// When a clinic is open.
pub async fn load(db: &impl ConnectionTrait, clinic: &clinic::Model) -> Result<OpeningHours, Fault> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, LOAD, [clinic.id.into()]);
    let row = db.query_one_raw(statement).await.map_err(failed)?;
    let (weekly, exceptions): (Option<String>, Option<String>) = match row {
        None => (None, None),
        Some(row) => (row.try_get_by_index(0).map_err(failed)?, row.try_get_by_index(1).map_err(failed)?),
    };
    read(replies::time_zone(&clinic.time_zone)?, weekly.as_deref(), exceptions.as_deref())
}

/// Hours as they are selected; none: closed.
pub(super) fn read(time_zone: TimeZone, weekly: Option<&str>, exceptions: Option<&str>) -> Result<OpeningHours, Fault> {
    let rows: Vec<(usize, NaiveTime, NaiveTime)> =
        weekly.map_or(Ok(Vec::new()), serde_json::from_str).map_err(Fault::internal)?;
    let mut weekly = Vec::with_capacity(rows.len());
    for (day, opens, closes) in rows {
        let day = Weekday::ALL.get(day).copied();
        weekly.push(WeeklyInterval {
            day: day.ok_or_else(|| Fault::internal("the stored day is not one of a week"))?,
            opens: WallTime::from_naive(opens),
            closes: WallTime::from_naive(closes),
        });
    }
    let exceptions = exceptions.map_or(Ok(Vec::new()), serde_json::from_str).map_err(Fault::internal)?;
    Ok(OpeningHours { time_zone, weekly, exceptions })
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
