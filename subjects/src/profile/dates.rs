//! Which dates a life can have. Whether one lies ahead only a clock can tell: that is the service's to check.

use chrono::{Datelike, NaiveDate};

/// A date in the life of somebody alive, person or animal.
pub(super) fn of_a_life(date: &NaiveDate, _: &()) -> garde::Result {
    if (1900..=2200).contains(&date.year()) {
        Ok(())
    } else {
        Err(garde::Error::new("must be a date between the years 1900 and 2200"))
    }
}

/// [`of_a_life`] for a field that may be absent.
pub(super) fn of_a_life_if_present(date: &Option<NaiveDate>, context: &()) -> garde::Result {
    date.as_ref().map_or(Ok(()), |date| of_a_life(date, context))
}

/// [`of_a_life`] for a field that may be absent or null.
pub(super) fn of_a_life_if_set(date: &Option<Option<NaiveDate>>, context: &()) -> garde::Result {
    date.as_ref().map_or(Ok(()), |date| of_a_life_if_present(date, context))
}
