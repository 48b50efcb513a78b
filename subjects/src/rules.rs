//! Validation rules that messages of several services share.

use crate::time::Instant;
use chrono::{Datelike, NaiveDate, Timelike};

/// What [`readable`] takes, as a pattern for the schema (ECMA-262): blanks, something that is neither blank nor a control
/// character, and then whatever is no control character. The blanks are spelt out, since `\s` means U+FEFF to ECMA-262 but
/// not to Unicode, and U+0085 the other way round. No character fits two neighbouring parts, so that no engine has to go
/// back.
pub(crate) const READABLE: &str = concat!(
    r"^[\t\n\r \u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]*",
    r"[^\u0000-\u0020\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]",
    r"[^\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F]*$",
);

/// What [`web_address`] takes, as a pattern for the schema (ECMA-262).
pub(crate) const WEB_ADDRESS: &str =
    r"^https?://[^\u0000-\u0020\u007F-\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]+$";

/// What a pattern of the contract asks for, in words, where the pattern itself would tell a person little.
pub fn in_words(pattern: &str) -> Option<&'static str> {
    match pattern {
        READABLE => Some("must not be blank or contain control characters"),
        WEB_ADDRESS => Some("must be an http or https address"),
        _ => None,
    }
}

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

/// [`web_address`] for a field that may be absent.
pub(crate) fn web_address_if_present(address: &Option<String>, context: &()) -> garde::Result {
    address.as_deref().map_or(Ok(()), |address| web_address(address, context))
}

/// A web address that a browser may follow.
pub(crate) fn web_address(address: &str, _: &()) -> garde::Result {
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

    /// The rule in Rust and its pattern in the schema, as the platform reads it, take the same.
    fn is_the_same_rule(rule: fn(&str, &()) -> garde::Result, pattern: &str, texts: impl Iterator<Item = String>) {
        let schema = jsonschema::validator_for(&serde_json::json!({ "pattern": pattern })).unwrap();
        for text in texts {
            let by_schema = schema.is_valid(&serde_json::Value::String(text.clone()));
            assert_eq!(by_schema, rule(&text, &()).is_ok(), "{text:?}");
        }
    }

    /// Every character of the basic plane, alone and among others.
    fn texts_with_every_character(others: &[[&str; 2]]) -> impl Iterator<Item = String> {
        let characters = ('\0'..='\u{ffff}').chain(['\u{1f43e}', '\u{e0001}', '\u{10ffff}']);
        characters.flat_map(move |each| others.iter().map(move |[before, after]| format!("{before}{each}{after}")))
    }

    #[test]
    fn schemas_say_what_the_rules_of_text_do() {
        let around = [["", ""], [" ", ""], ["", "\n"], ["Oyen ", ""], ["", " Oyen"], ["a", "\u{a0}\u{3000}"]];
        is_the_same_rule(readable, READABLE, texts_with_every_character(&around));
        is_the_same_rule(readable, READABLE, ["", " \n", "two\nlines", " \u{3000}\t"].map(str::to_owned).into_iter());
        let within = [["", ""], ["https://", ""], ["http://a", "b"], ["https://a", ""]];
        is_the_same_rule(web_address, WEB_ADDRESS, texts_with_every_character(&within));
        let addresses = ["https://", "http:/a", "ftp://a", "HTTP://a", " https://a", "x https://a"];
        is_the_same_rule(web_address, WEB_ADDRESS, addresses.map(str::to_owned).into_iter());
    }

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
