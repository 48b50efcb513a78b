//! What the auth service asks the others for: the entries that each of them keeps.

use super::entries::{AuditEntry, AuditFilter};
use crate::ids::AuditEntryId;
use crate::paging::MAX_LIMIT;
use crate::request::Request;
use crate::service_error::NoError;

/// The question for the entries that one service keeps, the latest first.
pub trait AuditQuestion: Request<Reply = Vec<AuditEntry>, Error = NoError> {
    /// Asks for at most `limit` entries, all of them before this one.
    fn new(filter: AuditFilter, before: Option<AuditEntryId>, limit: u16) -> Self;
    /// What is asked for, as given to [`AuditQuestion::new`].
    fn into_parts(self) -> (AuditFilter, Option<AuditEntryId>, u16);
}

/// Declares the question to each service.
macro_rules! questions {
    ($( $service:literal, $name:ident = $subject:literal; )+) => { $(
        #[doc = concat!("The entries of the audit log that the ", $service, " service keeps, the latest first. Only the ",
            "auth service is answered.")]
        #[derive(
            Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, garde::Validate,
        )]
        #[serde(rename_all = "camelCase")]
        pub struct $name {
            /// Which entries.
            #[garde(dive)]
            pub filter: AuditFilter,
            /// Only those that came before this one.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[garde(skip)]
            pub before: Option<AuditEntryId>,
            /// How many at the most: one more than a page has, by which it is known whether there is a next one.
            #[garde(range(min = 1, max = MAX_LIMIT + 1))]
            pub limit: u16,
        }

        impl Request for $name {
            const SUBJECT: &'static str = $subject;
            const ACCESS: $crate::Access = $crate::Access::SERVICE;
            const EFFECT: $crate::Effect = $crate::Effect::Read;
            type Reply = Vec<AuditEntry>;
            type Error = NoError;
        }

        impl AuditQuestion for $name {
            fn new(filter: AuditFilter, before: Option<AuditEntryId>, limit: u16) -> $name {
                $name { filter, before, limit }
            }

            fn into_parts(self) -> (AuditFilter, Option<AuditEntryId>, u16) {
                let $name { filter, before, limit } = self;
                (filter, before, limit)
            }
        }
    )+ };
}

questions! {
    "profile", FindAuditEntriesOfProfile = "profile.auditEntries";
    "vendor", FindAuditEntriesOfVendor = "vendor.auditEntries";
    "booking", FindAuditEntriesOfBooking = "booking.auditEntries";
    "catalog", FindAuditEntriesOfCatalog = "catalog.auditEntries";
}
