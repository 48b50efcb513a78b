//! Services: what a clinic offers.

use super::WRITERS;
use super::error::VendorError;
use crate::access::Access;
use crate::cache::{Cache, Tag};
use crate::ids::{ClinicId, ServiceId, VendorId};
use crate::money::Money;
use crate::paging::{MAX_LIMIT, Page};
use crate::request::{Effect, Request, Rest};
use crate::rules;
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A service that a clinic offers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// The clinic that offers it.
    pub clinic_id: ClinicId,
    /// The clinic's vendor.
    pub vendor_id: VendorId,
    /// Its name, unique at the clinic.
    pub name: String,
    /// What it consists of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How long it takes, in minutes.
    pub duration_minutes: u16,
    /// Minutes that are kept free before it.
    pub buffer_before_minutes: u16,
    /// Minutes that are kept free after it.
    pub buffer_after_minutes: u16,
    /// What it costs.
    pub price: Money,
    /// How many pets one session takes.
    pub capacity: u16,
    /// How many minutes apart the beginnings of its slots lie, counted from when a staff member begins to work.
    pub slot_step_minutes: u16,
    /// How many minutes before the visit a customer books it at the latest.
    pub minimum_notice_minutes: u32,
    /// How many days ahead a customer books it at the earliest.
    pub booking_window_days: u16,
    /// False: not offered for the time being, and hidden from the public.
    pub active: bool,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// Counts its changes.
    pub version: i64,
}

/// The order of a list of services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ServiceSort {
    /// By name.
    #[serde(rename = "name")]
    Name,
    /// By name, the other way round.
    #[serde(rename = "-name")]
    NameDescending,
    /// The cheapest first.
    #[serde(rename = "price")]
    Price,
    /// The dearest first.
    #[serde(rename = "-price")]
    PriceDescending,
    /// The shortest first.
    #[serde(rename = "durationMinutes")]
    DurationMinutes,
}

/// Lists services, by name unless told: of a clinic, of a vendor, or of everybody.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindServices {
    /// Only of this clinic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub clinic_id: Option<ClinicId>,
    /// Only of this vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub vendor_id: Option<VendorId>,
    /// Words of the name; accents do not matter and typing errors are forgiven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 100), custom(rules::readable_if_present))]
    pub text: Option<String>,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub sort: Option<ServiceSort>,
    /// How many at the most; 20 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = MAX_LIMIT))]
    pub limit: Option<u16>,
    /// The `nextCursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = 500))]
    pub cursor: Option<String>,
}

impl Request for FindServices {
    const SUBJECT: &'static str = "service.findAll";
    const ACCESS: Access = Access::SHOWN;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] =
        &[Rest::get("/services"), Rest::get("/clinics/{clinicId}/services"), Rest::get("/bookings/services")];
    type Reply = Page<Service>;
    type Error = VendorError;
}

/// Reads one service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct FindService {
    /// The service.
    #[serde(alias = "serviceId")]
    pub id: ServiceId,
}

impl Request for FindService {
    const SUBJECT: &'static str = "service.findOne";
    const ACCESS: Access = Access::SHOWN;
    const EFFECT: Effect = Effect::Read;
    const CACHE: Option<Cache> = Some(Cache {
        made_of: &[
            Tag::One { entity: "service", id_field: "id" },
            Tag::One { entity: "clinic", id_field: "clinicId" },
            Tag::One { entity: "vendor", id_field: "vendorId" },
        ],
    });
    const REST: &'static [Rest] = &[Rest::get("/services/{id}")];
    type Reply = Service;
    type Error = VendorError;
}

/// Adds a service to a clinic. Nobody performs it before staff are told to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CreateService {
    /// The clinic.
    #[garde(skip)]
    pub clinic_id: ClinicId,
    /// Its name, unique at the clinic.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 120), custom(rules::readable))]
    pub name: String,
    /// What it consists of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 4000), custom(rules::readable_if_present))]
    pub description: Option<String>,
    /// How long it takes, in minutes.
    #[garde(range(min = 5, max = 1440))]
    pub duration_minutes: u16,
    /// Minutes to keep free before it.
    #[serde(default)]
    #[garde(range(min = 0, max = 240))]
    pub buffer_before_minutes: u16,
    /// Minutes to keep free after it.
    #[serde(default)]
    #[garde(range(min = 0, max = 240))]
    pub buffer_after_minutes: u16,
    /// What it costs.
    #[garde(dive)]
    pub price: Money,
    /// How many pets one session takes; 1 unless told.
    #[serde(default = "one")]
    #[garde(range(min = 1, max = 100))]
    pub capacity: u16,
    /// How many minutes apart the beginnings of its slots lie, counted from when a staff member begins to work; 15
    /// unless told.
    #[serde(default = "default_slot_step_minutes")]
    #[garde(range(min = 5, max = 1440))]
    pub slot_step_minutes: u16,
    /// How many minutes before the visit a customer books it at the latest: at most 30 days. 0 unless told.
    #[serde(default)]
    #[garde(range(max = 43_200))]
    pub minimum_notice_minutes: u32,
    /// How many days ahead a customer books it at the earliest; 180 unless told.
    #[serde(default = "default_booking_window_days")]
    #[garde(range(min = 1, max = 730))]
    pub booking_window_days: u16,
}

const fn one() -> u16 {
    1
}

pub(super) const fn default_slot_step_minutes() -> u16 {
    15
}

pub(super) const fn default_booking_window_days() -> u16 {
    180
}

impl Request for CreateService {
    const SUBJECT: &'static str = "service.create";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::post("/clinics/{clinicId}/services", 201), Rest::post("/services", 201)];
    type Reply = Service;
    type Error = VendorError;
}

/// Replaces what is known of a service; a description that is left out is cleared. Bookings that were made keep
/// the price and the length they were made with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct UpdateService {
    /// The service.
    #[garde(skip)]
    pub id: ServiceId,
    /// Its name, unique at the clinic.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 120), custom(rules::readable))]
    pub name: String,
    /// What it consists of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 4000), custom(rules::readable_if_present))]
    pub description: Option<String>,
    /// How long it takes, in minutes.
    #[garde(range(min = 5, max = 1440))]
    pub duration_minutes: u16,
    /// Minutes to keep free before it.
    #[garde(range(min = 0, max = 240))]
    pub buffer_before_minutes: u16,
    /// Minutes to keep free after it.
    #[garde(range(min = 0, max = 240))]
    pub buffer_after_minutes: u16,
    /// What it costs.
    #[garde(dive)]
    pub price: Money,
    /// How many pets one session takes.
    #[garde(range(min = 1, max = 100))]
    pub capacity: u16,
    /// How many minutes apart the beginnings of its slots lie, counted from when a staff member begins to work; 15
    /// unless told.
    #[serde(default = "default_slot_step_minutes")]
    #[garde(range(min = 5, max = 1440))]
    pub slot_step_minutes: u16,
    /// How many minutes before the visit a customer books it at the latest: at most 30 days. 0 unless told.
    #[serde(default)]
    #[garde(range(max = 43_200))]
    pub minimum_notice_minutes: u32,
    /// How many days ahead a customer books it at the earliest; 180 unless told.
    #[serde(default = "default_booking_window_days")]
    #[garde(range(min = 1, max = 730))]
    pub booking_window_days: u16,
    /// False: not offered for the time being, and hidden from the public.
    #[garde(skip)]
    pub active: bool,
}

impl Request for UpdateService {
    const SUBJECT: &'static str = "service.update";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::put("/services/{id}")];
    type Reply = Service;
    type Error = VendorError;
}

/// Removes a service. Bookings that were made keep what they were made with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct RemoveService {
    /// The service.
    pub id: ServiceId,
}

impl Request for RemoveService {
    const SUBJECT: &'static str = "service.remove";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::delete("/services/{id}", 204)];
    type Reply = ();
    type Error = VendorError;
}
