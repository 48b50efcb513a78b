//! What was found that should not be.

use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row as _};
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;

/// Something that was promised and is not so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which promise.
    pub rule: &'static str,
    /// The event that it is about, where it is one.
    pub event: Option<EventName>,
    /// The handler, as `<service>_<handler>`, where it is one.
    pub handler: Option<String>,
    /// What else there is to say.
    pub detail: String,
}

/// All that names an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventName {
    /// Its id.
    pub id: Uuid,
    /// Its type.
    pub event_type: String,
    /// What it happened to.
    pub aggregate_id: Uuid,
    /// The version of that.
    pub version: i64,
}

impl<'r> FromRow<'r, PgRow> for EventName {
    fn from_row(row: &'r PgRow) -> sqlx::Result<EventName> {
        Ok(EventName {
            id: row.try_get("id")?,
            event_type: row.try_get("type")?,
            aggregate_id: row.try_get("aggregate_id")?,
            version: row.try_get("version")?,
        })
    }
}

impl Violation {
    /// One that is not about an event.
    pub fn of(rule: &'static str, detail: impl Into<String>) -> Violation {
        Violation { rule, event: None, handler: None, detail: detail.into() }
    }

    /// One about an event.
    pub fn of_event(rule: &'static str, event: EventName, handler: Option<String>, detail: String) -> Violation {
        Violation { rule, event: Some(event), handler, detail }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rule)?;
        if let Some(EventName { id, event_type, aggregate_id, version }) = &self.event {
            write!(f, ": event {id} ({event_type} of {aggregate_id}, version {version})")?;
        }
        if let Some(handler) = &self.handler {
            write!(f, ", handler {handler}")?;
        }
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

/// All that was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Each, as far as they are named.
    pub violations: Vec<Violation>,
    /// What was looked at, and how many there were of it.
    pub examined: BTreeMap<&'static str, i64>,
}

impl Found {
    /// One more.
    pub fn add(&mut self, violation: Violation) {
        self.violations.push(violation);
    }

    /// So many were looked at.
    pub fn examined(&mut self, what: &'static str, count: i64) {
        *self.examined.entry(what).or_default() += count;
    }

    /// Those that break a promise.
    pub fn of_rule(&self, rule: &str) -> Vec<&Violation> {
        self.violations.iter().filter(|violation| violation.rule == rule).collect()
    }
}
