//! Times, durations and numbers as people read them.

use chrono::{DateTime, Utc};

/// A time of day, to the millisecond, in UTC.
pub(crate) fn clock(time: DateTime<Utc>) -> String {
    time.format("%H:%M:%S%.3f").to_string()
}

/// A day and time, to the millisecond, in UTC.
pub(crate) fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.3f UTC").to_string()
}

/// How long ago a time was: `3 min ago`.
pub(crate) fn ago(time: DateTime<Utc>) -> String {
    format!("{} ago", age(time))
}

/// The time that has passed since then: `3 min`.
pub(crate) fn age(time: DateTime<Utc>) -> String {
    let seconds = (Utc::now() - time).as_seconds_f64();
    duration(seconds)
}

/// A duration in seconds with the unit that suits it, and the next smaller one where that says something: `250 ms`,
/// `1.4 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`.
pub(crate) fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 1.0 {
        return format!("{:.0} ms", seconds * 1_000.0);
    }
    if seconds < 10.0 {
        return format!("{seconds:.1} s");
    }
    if seconds < 60.0 {
        return format!("{seconds:.0} s");
    }
    let whole = seconds.min(3.0e11).floor();
    for (size, unit, part, name) in
        [(86_400.0, "d", 3_600.0, "h"), (3_600.0, "h", 60.0, "min"), (60.0, "min", 1.0, "s")]
    {
        if whole >= size {
            let (units, rest) = ((whole / size).floor(), ((whole % size) / part).floor());
            return if rest == 0.0 {
                format!("{units:.0} {unit}")
            } else {
                format!("{units:.0} {unit} {rest:.0} {name}")
            };
        }
    }
    format!("{whole:.0} s")
}

/// A number with commas between its thousands.
pub(crate) fn count(number: impl TryInto<i128>) -> String {
    let number: i128 = number.try_into().unwrap_or_default();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

/// How often something happens in a second.
pub(crate) fn rate(per_second: f64) -> String {
    format!("{per_second:.1}/s")
}

/// So many of something: `1 event`, `2,000 events`.
pub(crate) fn many(number: u64, what: &str) -> String {
    format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" })
}

/// The text on one line, and no longer than so many characters.
pub(crate) fn shortened(text: &str, length: usize) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= length {
        return line;
    }
    let kept: String = line.chars().take(length.saturating_sub(1)).collect();
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_unit_that_suits_them() {
        for (seconds, expected) in [
            (-1.0, "0 ms"),
            (0.25, "250 ms"),
            (1.44, "1.4 s"),
            (42.4, "42 s"),
            (60.0, "1 min"),
            (200.9, "3 min 20 s"),
            (7_500.0, "2 h 5 min"),
            (356_400.0, "4 d 3 h"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
    }

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(-1_234_567), "-1,234,567");
        assert_eq!((many(1, "event"), many(2_000, "event")), ("1 event".to_owned(), "2,000 events".to_owned()));
    }

    #[test]
    fn long_texts_are_shortened_to_a_line() {
        assert_eq!(shortened("a\n  b", 10), "a b");
        assert_eq!(shortened("ähnlich lang", 7), "ähnlic…");
    }
}
