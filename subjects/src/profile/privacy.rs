//! A person's right to their data: to have it told and to have it erased.

use super::errors::ProfileError;
use crate::access::{Access, Who};
use crate::audit::Audit;
use crate::ids::{PrivacyRequestId, UserId};
use crate::privacy::PersonRow;
use crate::request::{Effect, Request, Rest};
use crate::time::Instant;
use crate::values::named_values;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

named_values! {
    /// What a request for privacy asks for.
    pub enum PrivacyKind {
        /// To be told all that is kept.
        Export = "export",
        /// To have it erased.
        Erase = "erase",
    }
}

named_values! {
    /// How far a request for privacy is.
    pub enum PrivacyStatus {
        /// It is being done, service by service.
        Running = "running",
        /// All services have erased; what came in while they did is looked for once more, when no token of the person
        /// can hold any longer.
        Settling = "settling",
        /// It is done.
        Done = "done",
    }
}

/// How far one service is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrivacyStep {
    /// The service.
    pub service: String,
    /// Whether it is through.
    pub done: bool,
    /// How often it was asked in vain since it last answered.
    pub failed_attempts: u32,
    /// The kind of its last failure, for example `unavailable`; absent once it has answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<String>,
}

/// A request for privacy, and how far it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrivacyRequest {
    /// Its id.
    pub id: PrivacyRequestId,
    /// Whose data it is about.
    pub user_id: UserId,
    /// What it asks for.
    pub kind: PrivacyKind,
    /// How far it is.
    pub status: PrivacyStatus,
    /// How far each service is, in the order in which they are asked.
    pub steps: Vec<PrivacyStep>,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// When it was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Instant>,
    /// Until when an export can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_until: Option<Instant>,
}

/// Has all that the platform keeps of the caller collected. While an export is being collected, asking again answers
/// that one. When it is done it can be read for seven days, or until another one is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct ExportPrivacy {}

impl Request for ExportPrivacy {
    const SUBJECT: &'static str = "privacy.export";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Keyed;
    const AUDIT: Audit = Audit::Always;
    const REST: &'static [Rest] = &[Rest::post("/privacy/export", 202)];
    type Reply = PrivacyRequest;
    type Error = ProfileError;
}

/// Has all that the platform keeps of the caller erased, for good: the account is closed and signed out at once, visits
/// to come are cancelled, pets are removed. While it is being done, asking again answers the same request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct ErasePrivacy {
    /// The caller's own id, so that nobody erases themselves by a slip.
    #[garde(skip)]
    pub user_id: UserId,
}

impl Request for ErasePrivacy {
    const SUBJECT: &'static str = "privacy.erase";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Keyed;
    const AUDIT: Audit = Audit::Always;
    const REST: &'static [Rest] = &[Rest::post("/privacy/erase", 202)];
    type Reply = PrivacyRequest;
    type Error = ProfileError;
}

/// One of the caller's requests for privacy; those who run the platform see everybody's. Who had themselves erased is
/// signed out, and asks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindPrivacyRequest {
    /// The request.
    #[garde(skip)]
    pub id: PrivacyRequestId,
}

impl Request for FindPrivacyRequest {
    const SUBJECT: &'static str = "privacy.findOne";
    const ACCESS: Access = Access(&[Who::Owner, Who::Permitted]);
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/privacy/requests/{id}")];
    type Reply = PrivacyRequest;
    type Error = ProfileError;
}

/// A part of an export that is done, for its owner alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct ReadExport {
    /// The request.
    #[garde(skip)]
    pub id: PrivacyRequestId,
    /// Where the last part ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 512))]
    pub cursor: Option<String>,
}

impl Request for ReadExport {
    const SUBJECT: &'static str = "privacy.readExport";
    const ACCESS: Access = Access::OWNER;
    const EFFECT: Effect = Effect::Read;
    const AUDIT: Audit = Audit::Always;
    const REST: &'static [Rest] = &[Rest::get("/privacy/requests/{id}/export")];
    type Reply = ExportPart;
    type Error = ProfileError;
}

/// What one service has told, or a part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportPart {
    /// The service; empty where nothing was kept at all.
    pub service: String,
    /// What it keeps, at most 500 things.
    pub rows: Vec<PersonRow>,
    /// Where the export goes on; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A request for privacy as other services may know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrivacyState {
    /// The request.
    pub request_id: PrivacyRequestId,
    /// Whose data it is about.
    pub user_id: UserId,
    /// Grows with every change.
    pub version: i64,
}

crate::events! {
    service "profile";
    body PrivacyState, id request_id, version version;
    /// A person wants to be erased: it has begun.
    PrivacyEraseRequested = "privacy.erase_requested";
    /// Nothing is left of a person but ids.
    PrivacyErased = "privacy.erased";
}
