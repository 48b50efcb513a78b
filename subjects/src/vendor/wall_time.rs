//! A time of day on a wall clock, without a date or a zone.

use chrono::{NaiveTime, Timelike};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A time of day to the minute, `HH:MM` on the wire, from `00:00` to `23:59`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WallTime {
    minute_of_day: u16,
}

impl WallTime {
    /// Midnight at the start of a day. As the end of an interval it means midnight at the end of that day.
    pub const MIDNIGHT: WallTime = WallTime { minute_of_day: 0 };
    /// How many minutes a day has on the wall.
    pub const MINUTES_PER_DAY: u16 = 24 * 60;

    /// The time at an hour and a minute; nothing where no clock shows it.
    pub const fn new(hour: u16, minute: u16) -> Option<WallTime> {
        if hour < 24 && minute < 60 { Some(WallTime { minute_of_day: hour * 60 + minute }) } else { None }
    }

    /// Reads `HH:MM`.
    pub fn parse(text: &str) -> Option<WallTime> {
        let (hour, minute) = text.split_once(':')?;
        let is_two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_two_digits(hour) || !is_two_digits(minute) {
            return None;
        }
        WallTime::new(hour.parse().ok()?, minute.parse().ok()?)
    }

    /// Minutes since midnight.
    pub const fn minute_of_day(self) -> u16 {
        self.minute_of_day
    }

    /// The same time as chrono has it.
    pub fn to_naive(self) -> NaiveTime {
        let seconds = u32::from(self.minute_of_day) * 60;
        NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).unwrap_or(NaiveTime::MIN)
    }

    /// The same time from chrono, without its seconds.
    pub fn from_naive(time: NaiveTime) -> WallTime {
        let minute_of_day = u16::try_from(time.hour() * 60 + time.minute()).unwrap_or(0);
        WallTime { minute_of_day }
    }
}

impl std::fmt::Display for WallTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.minute_of_day / 60, self.minute_of_day % 60)
    }
}

impl From<WallTime> for String {
    fn from(time: WallTime) -> String {
        time.to_string()
    }
}

impl TryFrom<String> for WallTime {
    type Error = &'static str;
    fn try_from(text: String) -> Result<WallTime, &'static str> {
        WallTime::parse(&text).ok_or("a time of day is written HH:MM, from 00:00 to 23:59")
    }
}

impl JsonSchema for WallTime {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "WallTime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A time of day, HH:MM.",
            "examples": ["08:30"],
            "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_two_digits_each() {
        assert_eq!(WallTime::parse("08:05").unwrap().to_string(), "08:05");
        assert_eq!(serde_json::to_string(&WallTime::new(23, 59).unwrap()).unwrap(), "\"23:59\"");
        for text in ["24:00", "8:05", "08:60", "0805", "+8:05", ""] {
            assert_eq!(WallTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn chrono_and_back() {
        let time = WallTime::new(17, 45).unwrap();
        assert_eq!(WallTime::from_naive(time.to_naive()), time);
    }
}
