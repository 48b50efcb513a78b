//! Validation rules that several messages of this service share.

use crate::time::Instant;
use chrono::{Datelike, NaiveDate, Timelike};

/// A date that a calendar of visits can mean, so that arithmetic on it cannot overflow and the database can hold it.
pub(super) fn sensible_date(date: &NaiveDate, _: &()) -> garde::Result {
    if is_sensible_year(date.year()) {
        Ok(())
    } else {
        Err(garde::Error::new("must be a date between the years 2000 and 2200"))
    }
}

/// An instant for which the same holds.
pub(super) fn sensible_instant(instant: &Option<Instant>, _: &()) -> garde::Result {
    match instant {
        Some(instant) if !is_sensible_year(instant.year()) => {
            Err(garde::Error::new("must lie between the years 2000 and 2200"))
        }
        _ => Ok(()),
    }
}

/// When a visit may begin: on a whole minute.
pub(super) fn visit_start(instant: &Instant, context: &()) -> garde::Result {
    sensible_instant(&Some(*instant), context)?;
    if instant.second() == 0 && instant.nanosecond() == 0 {
        Ok(())
    } else {
        Err(garde::Error::new("must be a whole minute"))
    }
}

fn is_sensible_year(year: i32) -> bool {
    (2000..=2200).contains(&year)
}
