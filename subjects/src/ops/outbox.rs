//! The outbox of a service and the stream that delivers it.

use super::error::OpsError;
use crate::access::Access;
use crate::audit::Audit;
use crate::request::{Effect, Priority, Request};
use crate::rules;
use crate::time::Instant;
use crate::values::named_values;
use chrono::NaiveDate;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far the relay is: what waits to be published, what is kept of each day, and the stream that it is published to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindOutboxStatus {}

impl Request for FindOutboxStatus {
    const SUBJECT: &'static str = "ops.*.outboxStatus";
    const ACCESS: Access = Access::PERMITTED;
    const PERMISSION: &'static str = "ops.outboxStatus";
    const EFFECT: Effect = Effect::Read;
    const PRIORITY: Priority = Priority::Critical;
    const AUDIT: Audit = Audit::Refusals;
    type Reply = OutboxStatus;
    type Error = OpsError;
}

/// How an outbox is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutboxStatus {
    /// How many events wait to be published.
    pub unpublished: i64,
    /// How long the oldest of them has waited, in seconds; absent where none waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_age_seconds: Option<f64>,
    /// How many events were published a second, in the last minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_per_second: Option<f64>,
    /// What is kept of each day, the first day first.
    pub days: Vec<OutboxDay>,
    /// The stream as JetStream tells it; absent while it is away, or does not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<StreamStatus>,
    /// The highest sequence of this stream that an event is noted at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highest_noted: Option<i64>,
}

/// The events that were told on one day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutboxDay {
    /// The day, in UTC; absent for events that belong to no day's partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<NaiveDate>,
    /// How many are kept.
    pub rows: i64,
    /// How many of them wait to be published.
    pub unpublished: i64,
}

/// A stream of events, as JetStream has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StreamStatus {
    /// Its name.
    pub name: String,
    /// When it was made. One that was deleted and made again is another one.
    pub incarnation: Instant,
    /// The sequence of the oldest event that it keeps.
    pub first_sequence: u64,
    /// The sequence of the last event that it took.
    pub last_sequence: u64,
    /// How many events it keeps.
    pub messages: u64,
}

named_values! {
    /// Which published events are published again.
    pub enum RefillMode {
        /// Those that the stream has lost: it is read and compared with what the outbox holds.
        Lost = "lost",
        /// All that the outbox still keeps, or those since a time, whether the stream has them or not. Consumers handle
        /// none of them twice.
        All = "all",
    }
}

/// Has published events wait again, under the ids that they have, so that the relay publishes them once more. What would
/// take longer than some seconds is done in parts: asking again with the cursor goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct RefillOutbox {
    /// Which events.
    #[garde(skip)]
    pub mode: RefillMode,
    /// Only events that were told at this time or later; for `all` alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(rules::sensible_instant), custom(only_of_all(self.mode)))]
    pub since: Option<Instant>,
    /// Only counts.
    #[serde(default)]
    #[garde(skip)]
    pub dry_run: bool,
    /// Where the last part ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 512))]
    pub cursor: Option<String>,
}

impl Request for RefillOutbox {
    const SUBJECT: &'static str = "ops.*.outboxRefill";
    const ACCESS: Access = Access::PERMITTED;
    const PERMISSION: &'static str = "ops.outboxRefill";
    const EFFECT: Effect = Effect::Idempotent;
    const PRIORITY: Priority = Priority::Critical;
    type Reply = RefillOutcome;
    type Error = OpsError;
}

/// What was published again, or waits to be.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefillOutcome {
    /// How many published events were looked at.
    pub examined: u64,
    /// How many of them are to be published again.
    pub lost: u64,
    /// How many wait for it now: none in a dry run.
    pub put_back: u64,
    /// Where it goes on; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

fn only_of_all(mode: RefillMode) -> impl FnOnce(&Option<Instant>, &()) -> garde::Result {
    move |since, ()| match (mode, since) {
        (RefillMode::Lost, Some(_)) => Err(garde::Error::new("goes with the mode all alone")),
        _ => Ok(()),
    }
}
