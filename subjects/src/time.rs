//! Wall clocks: an IANA time zone beside a local time.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// An instant, RFC 3339 in UTC on the wire.
pub type Instant = chrono::DateTime<chrono::Utc>;

/// An IANA time zone by name, for example `Asia/Makassar`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TimeZone(pub chrono_tz::Tz);

impl TimeZone {
    /// The zone's name in the IANA database.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Reads a zone by its name in the IANA database.
    pub fn parse(name: &str) -> Option<TimeZone> {
        name.parse().ok().map(TimeZone)
    }
}

impl JsonSchema for TimeZone {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TimeZone".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "An IANA time zone name.",
            "examples": ["Asia/Jakarta"],
            "minLength": 1,
            "maxLength": 64,
        })
    }
}
