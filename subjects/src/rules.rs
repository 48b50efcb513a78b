//! Validation rules that messages of several services share.

use crate::time::Instant;
use chrono::{Datelike, NaiveDate, Timelike};

/// Text that a person can read: not blank, and without control characters other than line breaks and tabs.
/// Postgres cannot store U+0000 at all, so it must be refused before it gets there.
pub(crate) fn readable(text: &str, _: &()) -> garde::Result {
    if text.trim().is_empty() {
        return Err(garde::Error::new("must not be blank"));
    }
    if text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t')) {
        return Err(garde::Error::new("must not contain control characters"));
    }
    Ok(())
}

/// [`readable`] for a field that may be absent.
pub(crate) fn readable_if_present(text: &Option<String>, context: &()) -> garde::Result {
    text.as_deref().map_or(Ok(()), |text| readable(text, context))
}

/// A web address that a browser may follow.
pub(crate) fn web_address_if_present(address: &Option<String>, _: &()) -> garde::Result {
    let Some(address) = address else { return Ok(()) };
    let follows_scheme = address.strip_prefix("https://").or_else(|| address.strip_prefix("http://"));
    let is_clean = !address.chars().any(|character| character.is_whitespace() || character.is_control());
    match follows_scheme {
        Some(rest) if !rest.is_empty() && is_clean => Ok(()),
        _ => Err(garde::Error::new("must be an http or https address")),
    }
}

/// A date that a calendar of appointments can mean, so that arithmetic on it cannot overflow.
pub(crate) fn sensible_date(date: &NaiveDate, _: &()) -> garde::Result {
    if is_sensible_year(date.year()) {
        Ok(())
    } else {
        Err(garde::Error::new("must be a date between the years 2000 and 2200"))
    }
}

/// [`sensible_date`] for a field that may be absent.
pub(crate) fn sensible_date_if_present(date: &Option<NaiveDate>, context: &()) -> garde::Result {
    date.as_ref().map_or(Ok(()), |date| sensible_date(date, context))
}

/// [`sensible_date`] for an instant that may be absent.
pub(crate) fn sensible_instant(instant: &Option<Instant>, _: &()) -> garde::Result {
    match instant {
        Some(instant) if !is_sensible_year(instant.year()) => {
            Err(garde::Error::new("must lie between the years 2000 and 2200"))
        }
        _ => Ok(()),
    }
}

/// When a visit may begin: on a whole minute.
pub(crate) fn visit_start(instant: &Instant, context: &()) -> garde::Result {
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

/// A list in which nothing stands twice.
pub(crate) fn distinct<T: Ord>(items: &[T], _: &()) -> garde::Result {
    let distinct_items: std::collections::BTreeSet<&T> = items.iter().collect();
    if distinct_items.len() == items.len() { Ok(()) } else { Err(garde::Error::new("must not name anything twice")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_nobody_can_read_or_store_is_refused() {
        assert!(readable("Klinik Hewan Menteng", &()).is_ok());
        assert!(readable("two\nlines", &()).is_ok());
        for text in ["", "  \n", "nul\0", "bell\u{7}"] {
            assert!(readable(text, &()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn web_addresses_have_a_scheme_that_browsers_follow() {
        assert!(web_address_if_present(&Some("https://klinik.example".into()), &()).is_ok());
        assert!(web_address_if_present(&None, &()).is_ok());
        for address in ["javascript:alert(1)", "https://", "https://a b", "klinik.example"] {
            assert!(web_address_if_present(&Some(address.into()), &()).is_err(), "{address}");
        }
    }
}
