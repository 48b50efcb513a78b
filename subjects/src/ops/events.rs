//! Single events: what was told, who has dealt with it, and what belongs to one request.

use super::dead_letters::DeadLetter;
use super::error::OpsError;
use crate::access::Access;
use crate::audit::Audit;
use crate::ids::EventId;
use crate::request::{Effect, Priority, Request};
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// What the service knows of an event: the event itself where it has told it, and which of its handlers have dealt with
/// it or could not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindEvent {
    /// The event.
    #[garde(skip)]
    pub id: EventId,
}

impl Request for FindEvent {
    const SUBJECT: &'static str = "ops.*.eventFind";
    const ACCESS: Access = Access::PERMITTED;
    const PERMISSION: &'static str = "ops.eventFind";
    const EFFECT: Effect = Effect::Read;
    const PRIORITY: Priority = Priority::Critical;
    const AUDIT: Audit = Audit::Refusals;
    type Reply = EventDetails;
    type Error = OpsError;
}

/// What one service knows of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventDetails {
    /// The event.
    pub id: EventId,
    /// The event as it was told; absent where another service has told it, or it was told so long ago that it is not
    /// kept any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<ToldEvent>,
    /// The handlers of this service that are done with it.
    pub handled_by: Vec<HandledEvent>,
    /// The handlers of this service that could not deal with it.
    pub dead_letters: Vec<DeadLetter>,
}

/// An event as it stands in the outbox of the service that has told it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToldEvent {
    /// The event.
    pub id: EventId,
    /// Its type, for example `booking.created`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// What it happened to.
    pub aggregate_id: Uuid,
    /// The version of that since then.
    pub version: i64,
    /// The partition of its subject.
    pub partition: i16,
    /// When it was told.
    pub created_at: Instant,
    /// When it was published; absent while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at: Option<Instant>,
    /// The stream that keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
    /// When that stream was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<Instant>,
    /// Its sequence in the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<i64>,
    /// The id under which the request that led to it was logged, with all that followed from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The event that led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<EventId>,
    /// The subject of the request, or the consumer, that told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// The headers that it is published with, beside those of CloudEvents.
    pub headers: BTreeMap<String, String>,
    /// What it tells; absent where a list of events is answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<serde_json::Value>,
}

/// That a handler is done with an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HandledEvent {
    /// The event.
    pub event_id: EventId,
    /// The handler.
    pub handler: String,
    /// When it was done.
    pub handled_at: Instant,
}

/// What the service's handlers have made of some events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindEventEffects {
    /// The events.
    #[garde(length(min = 1, max = 200))]
    pub ids: Vec<EventId>,
}

impl Request for FindEventEffects {
    const SUBJECT: &'static str = "ops.*.eventEffects";
    const ACCESS: Access = Access::PERMITTED;
    const PERMISSION: &'static str = "ops.eventEffects";
    const EFFECT: Effect = Effect::Read;
    const PRIORITY: Priority = Priority::Critical;
    const AUDIT: Audit = Audit::Refusals;
    type Reply = EventEffects;
    type Error = OpsError;
}

/// What the handlers of one service have made of some events.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventEffects {
    /// Which handlers are done with which.
    pub handled: Vec<HandledEvent>,
    /// Which handlers could not deal with which.
    pub dead_letters: Vec<DeadLetter>,
}

/// The events that the service has told because of one request, directly or in the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindLineage {
    /// The id of the request: its `x-correlation-id`.
    #[garde(length(chars, min = 1, max = 128))]
    pub correlation_id: String,
    /// How many events at the most; 200 when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 1_000))]
    pub limit: Option<u16>,
}

impl Request for FindLineage {
    const SUBJECT: &'static str = "ops.*.lineage";
    const ACCESS: Access = Access::PERMITTED;
    const PERMISSION: &'static str = "ops.lineage";
    const EFFECT: Effect = Effect::Read;
    const PRIORITY: Priority = Priority::Critical;
    const AUDIT: Audit = Audit::Refusals;
    type Reply = Lineage;
    type Error = OpsError;
}

/// What one service has told because of a request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lineage {
    /// The events, in the order in which they were told, without their bodies.
    pub events: Vec<ToldEvent>,
    /// Whether there are more than were asked for.
    pub has_more: bool,
}
