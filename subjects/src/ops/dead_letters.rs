//! Dead letters: events that a handler could not deal with, and what becomes of them.

use super::error::OpsError;
use crate::access::Access;
use crate::audit::Audit;
use crate::ids::EventId;
use crate::paging::Page;
use crate::request::{Effect, Priority, Request};
use crate::rules;
use crate::time::Instant;
use crate::values::named_values;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

named_values! {
    /// Why an event is a dead letter.
    pub enum DeadLetterReason {
        /// It cannot be read: it is not JSON, not of the shape of its type, of an unknown version, or without an id.
        Unreadable = "unreadable",
        /// The handler has refused it, and would again.
        Refused = "refused",
        /// Every attempt to handle it has failed.
        Exhausted = "exhausted",
        /// An earlier event of the same aggregate is a dead letter, and the handler asks for order.
        Behind = "behind",
    }
}

/// An event that a handler could not deal with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// The service of the handler.
    pub service: String,
    /// The handler.
    pub handler: String,
    /// The event. Where it had no id, one that was made from its place in the stream.
    pub event_id: EventId,
    /// Its type.
    pub event_type: String,
    /// What it happened to; absent where that could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregate_id: Option<Uuid>,
    /// Why.
    pub reason: DeadLetterReason,
    /// What went wrong last, with its causes.
    pub error: String,
    /// How often it was tried.
    pub attempts: i32,
    /// Since when it is a dead letter.
    pub parked_at: Instant,
    /// The id of the request that led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// W3C Trace Context of the work that told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// Dead letters of the service, those that have been so for longest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindDeadLetters {
    /// Only those of this handler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 128))]
    pub handler: Option<String>,
    /// Only events of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 128))]
    pub event_type: Option<String>,
    /// Only those that are dead letters for this reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub reason: Option<DeadLetterReason>,
    /// How many; 20 when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 100))]
    pub limit: Option<u16>,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 512))]
    pub cursor: Option<String>,
}

impl Request for FindDeadLetters {
    const SUBJECT: &'static str = "ops.*.deadLetterFindAll";
    const ACCESS: Access = Access::PERMITTED;
    const PERMISSION: &'static str = "ops.deadLetterFindAll";
    const EFFECT: Effect = Effect::Read;
    const PRIORITY: Priority = Priority::Critical;
    const AUDIT: Audit = Audit::Refusals;
    type Reply = Page<DeadLetter>;
    type Error = OpsError;
}

/// A dead letter with all that is kept of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindDeadLetter {
    /// The event.
    #[garde(skip)]
    pub event_id: EventId,
    /// The handler; the first of them by name when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 128))]
    pub handler: Option<String>,
}

impl Request for FindDeadLetter {
    const SUBJECT: &'static str = "ops.*.deadLetterFindOne";
    const ACCESS: Access = Access::PERMITTED;
    const PERMISSION: &'static str = "ops.deadLetterFindOne";
    const EFFECT: Effect = Effect::Read;
    const PRIORITY: Priority = Priority::Critical;
    const AUDIT: Audit = Audit::Refusals;
    type Reply = DeadLetterDetails;
    type Error = OpsError;
}

/// A dead letter with all that is kept of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterDetails {
    /// The dead letter.
    pub letter: DeadLetter,
    /// The stream that it came from.
    pub stream: String,
    /// When that stream was made.
    pub incarnation: Instant,
    /// Its sequence there.
    pub sequence: i64,
    /// Its subject there.
    pub subject: String,
    /// Its headers.
    pub headers: BTreeMap<String, String>,
    /// What it tells, where that is JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<serde_json::Value>,
    /// What it tells, in base64, where that is not JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
}

/// Has dead letters handled again, each in a transaction of its own in which it also ceases to be one; those of an ordered
/// handler in the order of their aggregate. What fails again stays, with its new error. It takes as many as some seconds
/// allow: asking again with the cursor goes on after them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct ReplayDeadLetters {
    /// Only those of this handler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 128))]
    pub handler: Option<String>,
    /// Only this event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub event_id: Option<EventId>,
    /// Only events of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 128))]
    pub event_type: Option<String>,
    /// Every handler runs, and what it has done is taken back: it is told what would succeed.
    #[serde(default)]
    #[garde(skip)]
    pub dry_run: bool,
    /// How many at the most; 500 when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 5_000))]
    pub limit: Option<u16>,
    /// Where the last part ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 512))]
    pub cursor: Option<String>,
}

impl Request for ReplayDeadLetters {
    const SUBJECT: &'static str = "ops.*.deadLetterReplay";
    const ACCESS: Access = Access::PERMITTED;
    const PERMISSION: &'static str = "ops.deadLetterReplay";
    const EFFECT: Effect = Effect::Idempotent;
    const PRIORITY: Priority = Priority::Critical;
    type Reply = ReplayOutcome;
    type Error = OpsError;
}

/// What became of dead letters that were handled again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayOutcome {
    /// How many succeeded; in a dry run, would succeed.
    pub replayed: u64,
    /// How many failed.
    pub failed: u64,
    /// The first ten that failed.
    pub failures: Vec<FailedReplay>,
    /// How many that fit the question are still dead letters.
    pub left: u64,
    /// Where it goes on; absent where all that fit were tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A dead letter that failed again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FailedReplay {
    /// The handler.
    pub handler: String,
    /// The event.
    pub event_id: EventId,
    /// What went wrong, with its causes.
    pub error: String,
}

/// Gives dead letters up: their handlers never deal with them. It is logged, with who did it and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct DropDeadLetters {
    /// Only those of this handler.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 128))]
    pub handler: Option<String>,
    /// Only this event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub event_id: Option<EventId>,
    /// Only events of this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 128))]
    pub event_type: Option<String>,
    /// Why they are given up.
    #[garde(length(chars, min = 3, max = 500), custom(rules::readable))]
    #[schemars(regex(pattern = rules::READABLE))]
    pub why: String,
    /// How many at the most; 1,000 when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 5_000))]
    pub limit: Option<u16>,
}

impl Request for DropDeadLetters {
    const SUBJECT: &'static str = "ops.*.deadLetterDrop";
    const ACCESS: Access = Access::PERMITTED;
    const PERMISSION: &'static str = "ops.deadLetterDrop";
    const EFFECT: Effect = Effect::Idempotent;
    const PRIORITY: Priority = Priority::Critical;
    type Reply = DropOutcome;
    type Error = OpsError;
}

/// What became of dead letters that were given up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DropOutcome {
    /// How many were given up.
    pub dropped: u64,
    /// How many that fit the question are still there.
    pub left: u64,
}
