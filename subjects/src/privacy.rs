//! What every service that keeps anything of persons is asked for: to tell it and to erase it. The profile service keeps
//! the requests of persons ([`crate::profile`]) and asks the others; nobody else is let in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that a service keeps of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonRow {
    /// What it is, for example `booking`.
    pub kind: String,
    /// What is kept: an object, with the fields that such things have.
    pub data: serde_json::Value,
}

/// Some of what a service keeps of a person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonPage {
    /// At most 500 things.
    pub rows: Vec<PersonRow>,
    /// Where it goes on; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// How far a service is with erasing a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Erasure {
    /// Whether nothing is left: otherwise it is to be asked again, for the next part.
    pub complete: bool,
}

/// Declares both messages of a service.
macro_rules! person_messages {
    ($( $service:literal, $export:ident = $export_subject:literal, $erase:ident = $erase_subject:literal; )+) => { $(
        #[doc = concat!("What the ", $service, " service keeps of a person, a page at a time.")]
        #[derive(
            Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema, garde::Validate,
        )]
        #[serde(rename_all = "camelCase")]
        pub struct $export {
            /// The person.
            #[garde(skip)]
            pub user_id: $crate::ids::UserId,
            /// Where the last page ended.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[garde(length(chars, min = 1, max = 512))]
            pub cursor: Option<String>,
        }

        impl $crate::Request for $export {
            const SUBJECT: &'static str = $export_subject;
            const ACCESS: $crate::Access = $crate::Access::SERVICE;
            const EFFECT: $crate::Effect = $crate::Effect::Read;
            const PRIORITY: $crate::Priority = $crate::Priority::Background;
            type Reply = $crate::privacy::PersonPage;
            type Error = $crate::NoError;
        }

        #[doc = concat!(
            "Erases what the ", $service, " service keeps of a person, or as much of it as one transaction should. ",
            "Ids stay, and what the law or others need: see the documentation of privacy. Doing it again finds what ",
            "has come since."
        )]
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
            garde::Validate,
        )]
        #[serde(rename_all = "camelCase")]
        pub struct $erase {
            /// The person.
            #[garde(skip)]
            pub user_id: $crate::ids::UserId,
        }

        impl $crate::Request for $erase {
            const SUBJECT: &'static str = $erase_subject;
            const ACCESS: $crate::Access = $crate::Access::SERVICE;
            const EFFECT: $crate::Effect = $crate::Effect::Idempotent;
            const PRIORITY: $crate::Priority = $crate::Priority::Background;
            type Reply = $crate::privacy::Erasure;
            type Error = $crate::NoError;
        }
    )+ };
}

person_messages! {
    "auth", ExportPersonOfAuth = "auth.exportPerson", ErasePersonFromAuth = "auth.erasePerson";
    "vendor", ExportPersonOfVendor = "vendor.exportPerson", ErasePersonFromVendor = "vendor.erasePerson";
    "booking", ExportPersonOfBooking = "booking.exportPerson", ErasePersonFromBooking = "booking.erasePerson";
    "catalog", ExportPersonOfCatalog = "catalog.exportPerson", ErasePersonFromCatalog = "catalog.erasePerson";
}
