//! Entries, and the question for them.

use crate::access::Access;
use crate::ids::{AuditEntryId, SessionId, UserId};
use crate::paging::Page;
use crate::request::{Effect, Request, Rest};
use crate::rules;
use crate::service_error::NoError;
use crate::time::Instant;
use crate::values::named_values;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

named_values! {
    /// How a request ended.
    pub enum AuditOutcome {
        /// It was done.
        Done = "done",
        /// It was refused, and nothing was done.
        Refused = "refused",
        /// It failed for a reason of ours. Where that was the time, it may have been done all the same.
        Failed = "failed",
    }
}

named_values! {
    /// A service that keeps entries.
    pub enum AuditedService {
        /// Accounts, sessions and roles.
        Auth = "auth",
        /// Persons, pets, and their privacy.
        Profile = "profile",
        /// Vendors and those who work there.
        Vendor = "vendor",
        /// Bookings.
        Booking = "booking",
        /// Products and stock.
        Catalog = "catalog",
    }
}

/// An entry of the audit log. It holds no personal data but ids and the network that somebody was in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditEntryId,
    /// When it was asked.
    pub at: Instant,
    /// The service that was asked.
    pub service: String,
    /// What was asked, for example `role.assign`.
    pub operation: String,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// Why it was refused or failed, for example `forbidden`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who asked; absent for whoever was not signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_id: Option<UserId>,
    /// The session in which they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// Whom or what it was about: the account of a login, the user whose roles are changed, the vendor that is approved,
    /// the clinic whose bookings are watched, the event whose dead letters are given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<Uuid>,
    /// The service that asked or passed it on, for example `edge`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// Who has signed for the actor: `edge` for whoever was signed in, `operator` or `neighbour` for whomever they named.
    /// Absent for nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// The network that the client was in: the first 24 bits of an IPv4 address, the first 48 of an IPv6 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// The id under which the request and all that followed from it were logged and told.
    pub correlation_id: String,
    /// What else there is to know of it, for example the roles before and after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<serde_json::Value>,
}

/// Which entries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct AuditFilter {
    /// Only of what this user asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub actor_id: Option<UserId>,
    /// Only of what was about this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub subject_id: Option<Uuid>,
    /// Only of this operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 100), pattern(r"^[A-Za-z.]*$"))]
    pub operation: Option<String>,
    /// Only of what ended so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub outcome: Option<AuditOutcome>,
    /// Only of what was asked at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(rules::sensible_instant))]
    pub from: Option<Instant>,
    /// Only of what was asked before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(rules::sensible_instant))]
    pub until: Option<Instant>,
}

/// What the audit log holds of all services, the latest first. While a service is away nothing is answered that would lack
/// its entries; those of another one can be asked for by its name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindAuditEntries {
    /// Only of what this user asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub actor_id: Option<UserId>,
    /// Only of what was about this: a user, a role, a vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub subject_id: Option<Uuid>,
    /// Only of this operation, for example `role.assign`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 100), pattern(r"^[A-Za-z.]*$"))]
    pub operation: Option<String>,
    /// Only of what ended so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub outcome: Option<AuditOutcome>,
    /// Only of what was asked at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(rules::sensible_instant))]
    pub from: Option<Instant>,
    /// Only of what was asked before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(rules::sensible_instant))]
    pub until: Option<Instant>,
    /// Only of what this service was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub service: Option<AuditedService>,
    /// How many at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 100))]
    pub limit: Option<u16>,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 512))]
    pub cursor: Option<String>,
}

impl Request for FindAuditEntries {
    const SUBJECT: &'static str = "audit.findAll";
    const ACCESS: Access = Access::PERMITTED;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/audit")];
    type Reply = Page<AuditEntry>;
    type Error = NoError;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::SERVICES;

    #[test]
    fn every_service_keeps_entries() {
        let names: Vec<&str> = AuditedService::ALL.iter().map(|service| service.as_str()).collect();
        assert_eq!(names, SERVICES);
    }
}
