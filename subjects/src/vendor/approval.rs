//! The steps of a vendor's approval.

use super::WRITERS;
use super::error::VendorError;
use super::vendors::Vendor;
use crate::access::Access;
use crate::ids::VendorId;
use crate::request::{Effect, Request, Rest, When};
use crate::rules;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Asks for a draft, or a vendor that was rejected, to be approved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct SubmitVendor {
    /// The vendor.
    pub id: VendorId,
}

impl Request for SubmitVendor {
    const SUBJECT: &'static str = "vendor.submit";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const WHEN: &'static [When] = &[When { field: "status", is_one_of: &["draft", "rejected"] }];
    const REST: &'static [Rest] = &[Rest::post("/vendors/{id}/submit", 200)];
    type Reply = Vendor;
    type Error = VendorError;
}

/// Approves a vendor that was submitted, or takes a suspended one back. From then on the public sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct ApproveVendor {
    /// The vendor.
    pub id: VendorId,
}

impl Request for ApproveVendor {
    const SUBJECT: &'static str = "vendor.approve";
    const ACCESS: Access = Access::PERMITTED;
    const EFFECT: Effect = Effect::Keyed;
    const WHEN: &'static [When] = &[When { field: "status", is_one_of: &["submitted", "suspended"] }];
    const REST: &'static [Rest] = &[Rest::post("/vendors/{id}/approve", 200)];
    type Reply = Vendor;
    type Error = VendorError;
}

/// Refuses a vendor that was submitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct RejectVendor {
    /// The vendor.
    #[garde(skip)]
    pub id: VendorId,
    /// Why, for the vendor's members to read.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 1000), custom(rules::readable))]
    pub reason: String,
}

impl Request for RejectVendor {
    const SUBJECT: &'static str = "vendor.reject";
    const ACCESS: Access = Access::PERMITTED;
    const EFFECT: Effect = Effect::Keyed;
    const WHEN: &'static [When] = &[When { field: "status", is_one_of: &["submitted"] }];
    const REST: &'static [Rest] = &[Rest::post("/vendors/{id}/reject", 200)];
    type Reply = Vendor;
    type Error = VendorError;
}

/// Takes an approved vendor off the platform until it is approved again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct SuspendVendor {
    /// The vendor.
    #[garde(skip)]
    pub id: VendorId,
    /// Why, for the vendor's members to read.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 1000), custom(rules::readable))]
    pub reason: String,
}

impl Request for SuspendVendor {
    const SUBJECT: &'static str = "vendor.suspend";
    const ACCESS: Access = Access::PERMITTED;
    const EFFECT: Effect = Effect::Keyed;
    const WHEN: &'static [When] = &[When { field: "status", is_one_of: &["approved"] }];
    const REST: &'static [Rest] = &[Rest::post("/vendors/{id}/suspend", 200)];
    type Reply = Vendor;
    type Error = VendorError;
}
