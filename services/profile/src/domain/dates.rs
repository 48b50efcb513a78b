//! Dates that may not lie ahead.

use chrono::{NaiveDate, TimeDelta};
use subjects::time::Instant;
use subjects::{Fault, Violation};

/// How far ahead of UTC the earliest clocks are (Kiribati).
const EARLIEST_CLOCKS: TimeDelta = TimeDelta::hours(14);

/// Refuses dates that have not come anywhere on earth yet, each at its place in the request.
///
/// # Errors
/// A bad request with one violation for each of them.
pub fn refuse_ahead(now: Instant, dates: &[(&str, Option<NaiveDate>)]) -> Result<(), Fault> {
    let latest_today = (now + EARLIEST_CLOCKS).date_naive();
    let violations: Vec<Violation> = dates
        .iter()
        .filter(|(_, date)| date.is_some_and(|date| date > latest_today))
        .map(|(pointer, _)| Violation::new(*pointer, "must not lie in the future"))
        .collect();
    if violations.is_empty() { Ok(()) } else { Err(Fault::invalid(violations)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_has_come_once_it_is_that_date_anywhere() {
        let now: Instant = "2027-03-01T11:00:00Z".parse().unwrap();
        let date = |day| NaiveDate::from_ymd_opt(2027, 3, day);
        assert_eq!(refuse_ahead(now, &[("/birthDate", date(1)), ("/birthDate", date(2)), ("/x", None)]), Ok(()));
        let refused = refuse_ahead(now, &[("/givenOn", date(3)), ("/ok", date(1)), ("/measuredOn", date(4))]);
        let pointers: Vec<String> =
            refused.unwrap_err().violations.into_iter().map(|violation| violation.pointer).collect();
        assert_eq!(pointers, ["/givenOn", "/measuredOn"]);
    }
}
