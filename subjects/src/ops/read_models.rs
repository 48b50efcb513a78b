//! Read models: copies of what other services own, kept by their events and built anew from their snapshots.

use super::error::OpsError;
use crate::access::Access;
use crate::audit::Audit;
use crate::paging::Page;
use crate::request::{Effect, Priority, Request};
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every read model of the service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindReadModels {}

impl Request for FindReadModels {
    const SUBJECT: &'static str = "ops.*.readModelFindAll";
    const ACCESS: Access = Access::PERMITTED;
    const PERMISSION: &'static str = "ops.readModelFindAll";
    const EFFECT: Effect = Effect::Read;
    const PRIORITY: Priority = Priority::Critical;
    const AUDIT: Audit = Audit::Refusals;
    type Reply = Page<ReadModelStatus>;
    type Error = OpsError;
}

/// A read model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReadModelStatus {
    /// Its name.
    pub model: String,
    /// The service that owns what it is a copy of.
    pub owner: String,
    /// When it was last built from the owner's snapshot; absent where that never was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built_at: Option<Instant>,
    /// How many rows it has.
    pub rows: i64,
}

/// Builds a read model anew from the owner's snapshot, while it serves and hears events: rows that are missing or older
/// come, and what the owner does not have goes. It does as much as some seconds allow: asking again with the cursor goes
/// on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct RebuildReadModel {
    /// Its name.
    #[garde(length(chars, min = 1, max = 128))]
    pub model: String,
    /// Where the last part ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 512))]
    pub cursor: Option<String>,
}

impl Request for RebuildReadModel {
    const SUBJECT: &'static str = "ops.*.readModelRebuild";
    const ACCESS: Access = Access::PERMITTED;
    const PERMISSION: &'static str = "ops.readModelRebuild";
    const EFFECT: Effect = Effect::Idempotent;
    const PRIORITY: Priority = Priority::Critical;
    type Reply = RebuildOutcome;
    type Error = OpsError;
}

/// What building a read model anew, or a part of it, has changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RebuildOutcome {
    /// How many rows of the owner were looked at.
    pub examined: u64,
    /// How many of them came into the read model, or were older there.
    pub changed: u64,
    /// How many the owner does not have any more.
    pub removed: u64,
    /// Where it goes on; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
