//! Consumers of events: how far each is, and whether it is to take any.

use super::error::OpsError;
use crate::access::Access;
use crate::audit::Audit;
use crate::paging::Page;
use crate::request::{Effect, Priority, Request};
use crate::rules;
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every consumer of the service, and how far it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindConsumers {}

impl Request for FindConsumers {
    const SUBJECT: &'static str = "ops.*.consumerFindAll";
    const ACCESS: Access = Access::PERMITTED;
    const PERMISSION: &'static str = "ops.consumerFindAll";
    const EFFECT: Effect = Effect::Read;
    const PRIORITY: Priority = Priority::Critical;
    const AUDIT: Audit = Audit::Refusals;
    type Reply = Page<ConsumerStatus>;
    type Error = OpsError;
}

/// How far a consumer is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerStatus {
    /// The handler.
    pub handler: String,
    /// The service whose events it takes.
    pub source: String,
    /// The subjects that it takes, for example `event.hours.updated.*`.
    pub takes: String,
    /// Whether it handles the events of an aggregate one after the other.
    pub ordered: bool,
    /// That it takes no events, and why; absent where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<PausedConsumer>,
    /// What JetStream tells of it; absent while that is away, or does not have the consumer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<ConsumerDelivery>,
    /// How many dead letters it has.
    pub dead_letters: i64,
}

/// What JetStream tells of a consumer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerDelivery {
    /// How many events it has not been given yet: its lag.
    pub pending: u64,
    /// How many it was given and has not acknowledged.
    pub ack_pending: u64,
    /// How many of those it was given more than once.
    pub redelivered: u64,
    /// How many requests for events wait at JetStream: none, and no replica takes any.
    pub waiting: u64,
}

/// That a consumer takes no events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PausedConsumer {
    /// Since when.
    pub paused_at: Instant,
    /// Why.
    pub reason: String,
}

/// Has a consumer take no more events, in all replicas, until it is resumed: what it has begun it finishes, and what it
/// was given beyond that it gives back. It takes effect within some seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct PauseConsumer {
    /// The handler.
    #[garde(length(chars, min = 1, max = 128))]
    pub handler: String,
    /// Why.
    #[garde(length(chars, min = 3, max = 500), custom(rules::readable))]
    #[schemars(regex(pattern = rules::READABLE))]
    pub reason: String,
}

impl Request for PauseConsumer {
    const SUBJECT: &'static str = "ops.*.consumerPause";
    const ACCESS: Access = Access::PERMITTED;
    const PERMISSION: &'static str = "ops.consumerPause";
    const EFFECT: Effect = Effect::Idempotent;
    const PRIORITY: Priority = Priority::Critical;
    type Reply = ();
    type Error = OpsError;
}

/// Has a consumer take events again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct ResumeConsumer {
    /// The handler.
    #[garde(length(chars, min = 1, max = 128))]
    pub handler: String,
}

impl Request for ResumeConsumer {
    const SUBJECT: &'static str = "ops.*.consumerResume";
    const ACCESS: Access = Access::PERMITTED;
    const PERMISSION: &'static str = "ops.consumerResume";
    const EFFECT: Effect = Effect::Idempotent;
    const PRIORITY: Priority = Priority::Critical;
    type Reply = ();
    type Error = OpsError;
}
