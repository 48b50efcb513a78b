//! Clinics: the places of a vendor.

use super::WRITERS;
use super::error::VendorError;
use super::policy::BookingPolicy;
use super::vendors::VendorKind;
use crate::access::Access;
use crate::cache::{Cache, Tag};
use crate::ids::{ClinicId, VendorId};
use crate::paging::{MAX_LIMIT, Page};
use crate::request::{Effect, Request, Rest};
use crate::rules;
use crate::time::{Instant, TimeZone};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// Street and house number.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 200), custom(rules::readable))]
    pub street: String,
    /// District or quarter (kecamatan, kelurahan).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 100), custom(rules::readable_if_present))]
    pub district: Option<String>,
    /// City or regency.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 100), custom(rules::readable))]
    pub city: String,
    /// Province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 100), custom(rules::readable_if_present))]
    pub province: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 12), custom(rules::readable_if_present))]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2 country code.
    #[garde(pattern("^[A-Z]{2}$"))]
    pub country: String,
}

/// A point on the globe, WGS 84.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Coordinates {
    /// Degrees north.
    #[garde(range(min = -90.0, max = 90.0))]
    pub latitude: f64,
    /// Degrees east.
    #[garde(range(min = -180.0, max = 180.0))]
    pub longitude: f64,
}

/// A clinic: one place of a vendor, with its own hours, services and staff.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Clinic {
    /// Its id.
    pub id: ClinicId,
    /// The vendor that it belongs to.
    pub vendor_id: VendorId,
    /// What kind of business its vendor is.
    pub kind: VendorKind,
    /// Its name.
    pub name: String,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its telephone number, for customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Where it is.
    pub address: Address,
    /// Where it is on the globe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinates: Option<Coordinates>,
    /// The zone of its wall clocks.
    pub time_zone: TimeZone,
    /// Its rules for bookings.
    pub policy: BookingPolicy,
    /// False: closed by its vendor for the time being, and hidden from the public.
    pub active: bool,
    /// How far it is from the point that was asked for, in kilometres; only in answers to a search by distance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distance_km: Option<f64>,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// Counts its changes.
    pub version: i64,
}

/// The order of a list of clinics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClinicSort {
    /// By name.
    Name,
    /// By name, the other way round.
    #[serde(rename = "-name")]
    NameDescending,
    /// Nearest first; needs `latitude` and `longitude`.
    Distance,
    /// Best match of `text` first.
    Relevance,
}

/// Searches clinics by text, by distance and by what they offer. Without a wish for the order: nearest first when
/// a point is given, else best match first when there is a text, else by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[garde(custom(point_is_whole))]
pub struct FindClinics {
    /// Words of the name, description or address, or of its vendor's; accents do not matter and typing errors are
    /// forgiven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 100), custom(rules::readable_if_present))]
    pub text: Option<String>,
    /// Degrees north of the point to search around.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = -90.0, max = 90.0))]
    pub latitude: Option<f64>,
    /// Degrees east of the point to search around.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = -180.0, max = 180.0))]
    pub longitude: Option<f64>,
    /// How far from the point at the most, in kilometres; 25 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 0.1, max = 500.0))]
    pub radius_km: Option<f64>,
    /// Words of the name of a service that the clinic offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 100), custom(rules::readable_if_present))]
    pub service: Option<String>,
    /// Only of vendors of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub kind: Option<VendorKind>,
    /// Only of this vendor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub vendor_id: Option<VendorId>,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub sort: Option<ClinicSort>,
    /// How many at the most; 20 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = MAX_LIMIT))]
    pub limit: Option<u16>,
    /// The `nextCursor` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(max = 500))]
    pub cursor: Option<String>,
}

fn point_is_whole(search: &FindClinics, _: &()) -> garde::Result {
    let has_point = search.latitude.is_some();
    if has_point != search.longitude.is_some() {
        return Err(garde::Error::new("latitude and longitude must be given together"));
    }
    if search.radius_km.is_some() && !has_point {
        return Err(garde::Error::new("a radius needs latitude and longitude"));
    }
    if search.sort == Some(ClinicSort::Distance) && !has_point {
        return Err(garde::Error::new("the order by distance needs latitude and longitude"));
    }
    if search.sort == Some(ClinicSort::Relevance) && search.text.is_none() {
        return Err(garde::Error::new("the order by relevance needs a text"));
    }
    Ok(())
}

impl Request for FindClinics {
    const SUBJECT: &'static str = "clinic.findAll";
    const ACCESS: Access = Access::SHOWN;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/clinics"), Rest::get("/vendors/{vendorId}/clinics")];
    type Reply = Page<Clinic>;
    type Error = VendorError;
}

/// Reads one clinic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct FindClinic {
    /// The clinic.
    #[serde(alias = "clinicId")]
    pub id: ClinicId,
}

impl Request for FindClinic {
    const SUBJECT: &'static str = "clinic.findOne";
    const ACCESS: Access = Access::SHOWN;
    const EFFECT: Effect = Effect::Read;
    const CACHE: Option<Cache> = Some(Cache {
        made_of: &[Tag::One { entity: "clinic", id_field: "id" }, Tag::One { entity: "vendor", id_field: "vendorId" }],
    });
    const REST: &'static [Rest] = &[Rest::get("/clinics/{id}")];
    type Reply = Clinic;
    type Error = VendorError;
}

/// Adds a clinic to a vendor. It has no opening hours before they are set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CreateClinic {
    /// The vendor.
    #[garde(skip)]
    pub vendor_id: VendorId,
    /// Its name.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 120), custom(rules::readable))]
    pub name: String,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 4000), custom(rules::readable_if_present))]
    pub description: Option<String>,
    /// Its telephone number, for customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(pattern(r"^\+?[0-9][0-9 ()-]{4,22}[0-9]$"))]
    pub phone: Option<String>,
    /// Where it is.
    #[garde(dive)]
    pub address: Address,
    /// Where it is on the globe; without it no search by distance finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub coordinates: Option<Coordinates>,
    /// The zone of its wall clocks.
    #[garde(skip)]
    pub time_zone: TimeZone,
    /// Its rules for bookings; what is left out has its default.
    #[serde(default)]
    #[garde(dive)]
    pub policy: BookingPolicy,
}

impl Request for CreateClinic {
    const SUBJECT: &'static str = "clinic.create";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::post("/vendors/{vendorId}/clinics", 201), Rest::post("/clinics", 201)];
    type Reply = Clinic;
    type Error = VendorError;
}

/// Replaces what is known of a clinic; what is left out is cleared. Another zone keeps the wall clocks of the
/// opening hours and moves their instants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct UpdateClinic {
    /// The clinic.
    #[garde(skip)]
    pub id: ClinicId,
    /// Its name.
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, min = 1, max = 120), custom(rules::readable))]
    pub name: String,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = rules::READABLE))]
    #[garde(length(chars, max = 4000), custom(rules::readable_if_present))]
    pub description: Option<String>,
    /// Its telephone number, for customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(pattern(r"^\+?[0-9][0-9 ()-]{4,22}[0-9]$"))]
    pub phone: Option<String>,
    /// Where it is.
    #[garde(dive)]
    pub address: Address,
    /// Where it is on the globe; without it no search by distance finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub coordinates: Option<Coordinates>,
    /// The zone of its wall clocks.
    #[garde(skip)]
    pub time_zone: TimeZone,
    /// Its rules for bookings; what is left out has its default.
    #[serde(default)]
    #[garde(dive)]
    pub policy: BookingPolicy,
    /// False: closed for the time being, and hidden from the public.
    #[garde(skip)]
    pub active: bool,
}

impl Request for UpdateClinic {
    const SUBJECT: &'static str = "clinic.update";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::put("/clinics/{id}")];
    type Reply = Clinic;
    type Error = VendorError;
}

/// Removes a clinic with its services; its staff remain with the vendor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct RemoveClinic {
    /// The clinic.
    pub id: ClinicId,
}

impl Request for RemoveClinic {
    const SUBJECT: &'static str = "clinic.remove";
    const ACCESS: Access = WRITERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::delete("/clinics/{id}", 204)];
    type Reply = ();
    type Error = VendorError;
}
