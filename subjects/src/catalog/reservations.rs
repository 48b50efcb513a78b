//! Reservations: stock that is kept for somebody until it is given out, given back, or the time is over.

use super::errors::CatalogError;
use super::stock_values::ReservationStatus;
use crate::access::{Access, MembershipRole, Who};
use crate::ids::{ClinicId, InventoryId, ProductId, ReservationId, UserId, VariantId, VendorId};
use crate::request::{Effect, Priority, Request, Rest, When};
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many lines a reservation may have.
pub const MAX_RESERVATION_LINES: usize = 100;
/// How many pieces one line may want.
pub const MAX_LINE_QUANTITY: u32 = 10_000;
/// The longest that a reservation may last, in seconds: a day.
pub const MAX_RESERVATION_SECONDS: u32 = 86_400;

/// Other services, and those who work where the stock is.
const RESERVERS: Access = Access(&[Who::Service, Who::Member(MembershipRole::ClinicStaff), Who::Permitted]);

const WHILE_ACTIVE: &[When] = &[When { field: "status", is_one_of: &["active"] }];

/// Pieces of a variant that are wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct StockLine {
    /// The variant.
    #[garde(skip)]
    pub variant_id: VariantId,
    /// How many.
    #[garde(range(min = 1, max = MAX_LINE_QUANTITY))]
    pub quantity: u32,
    /// From this place alone; absent: from wherever there is most of it, from several places if need be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub clinic_id: Option<ClinicId>,
}

/// Pieces that a reservation keeps, at one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReservedLine {
    /// The stock that they are kept in.
    pub inventory_id: InventoryId,
    /// The variant.
    pub variant_id: VariantId,
    /// Its product.
    pub product_id: ProductId,
    /// The vendor.
    pub vendor_id: VendorId,
    /// The place.
    pub clinic_id: ClinicId,
    /// How many.
    pub quantity: u32,
}

/// Stock that is kept for somebody.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// Its id.
    pub id: ReservationId,
    /// Where it stands.
    pub status: ReservationStatus,
    /// What it keeps, or kept, and where. Those who work for one vendor see what it keeps at their places.
    pub lines: Vec<ReservedLine>,
    /// The service that made it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The user who made it, where no service did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Until when the pieces are kept.
    pub expires_at: Instant,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// Counts its changes.
    pub version: i64,
}

/// Keeps stock for somebody for some time: all lines or none. What several lines want of one variant is summed up.
///
/// A refusal says for each line that is short how much there is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct ReserveInventory {
    /// What is wanted: 1 to 100 lines.
    #[garde(length(min = 1, max = MAX_RESERVATION_LINES), dive)]
    pub lines: Vec<StockLine>,
    /// For how many seconds it is kept: at most a day; 15 minutes unless told or configured otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = MAX_RESERVATION_SECONDS))]
    pub expires_in_seconds: Option<u32>,
}

impl Request for ReserveInventory {
    const SUBJECT: &'static str = "inventory.reserve";
    const ALIASES: &'static [&'static str] = &["reserveInventory"];
    const ACCESS: Access = RESERVERS;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::post("/inventory/reservations", 201)];
    type Reply = Reservation;
    type Error = CatalogError;
}

/// Gives the kept pieces out: they are no longer there. Doing it again changes nothing. For whoever made the
/// reservation, and, where that was no service, those who work at all of its places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub struct CommitReservation {
    /// The reservation.
    #[serde(alias = "reservationId")]
    pub id: ReservationId,
}

impl Request for CommitReservation {
    const SUBJECT: &'static str = "inventory.commit";
    const ALIASES: &'static [&'static str] = &["reduceInventory"];
    const ACCESS: Access = RESERVERS;
    const EFFECT: Effect = Effect::Idempotent;
    const PRIORITY: Priority = Priority::Critical;
    const WHEN: &'static [When] = WHILE_ACTIVE;
    const REST: &'static [Rest] = &[Rest::post("/inventory/reservations/{id}/commit", 200)];
    type Reply = Reservation;
    type Error = CatalogError;
}

/// Gives the kept pieces back: others may have them. Doing it again changes nothing. For the same as may commit it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseReservation {
    /// The reservation.
    #[serde(alias = "reservationId")]
    pub id: ReservationId,
}

impl Request for ReleaseReservation {
    const SUBJECT: &'static str = "inventory.release";
    const ACCESS: Access = RESERVERS;
    const EFFECT: Effect = Effect::Idempotent;
    const PRIORITY: Priority = Priority::Critical;
    const WHEN: &'static [When] = WHILE_ACTIVE;
    const REST: &'static [Rest] = &[Rest::post("/inventory/reservations/{id}/release", 200)];
    type Reply = Reservation;
    type Error = CatalogError;
}

/// Reads a reservation: for the service that made it, and for those who work at one of its places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(rename_all = "camelCase")]
pub struct GetReservation {
    /// The reservation.
    #[serde(alias = "reservationId")]
    pub id: ReservationId,
}

impl Request for GetReservation {
    const SUBJECT: &'static str = "reservation.findOne";
    const ACCESS: Access = RESERVERS;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/inventory/reservations/{id}")];
    type Reply = Reservation;
    type Error = CatalogError;
}

/// Whether there is enough of something right now. It promises nothing: `inventory.reserve` does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CheckInventory {
    /// What would be wanted: 1 to 100 lines.
    #[garde(length(min = 1, max = MAX_RESERVATION_LINES), dive)]
    pub lines: Vec<StockLine>,
}

/// How a line would fare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckedLine {
    /// The variant.
    pub variant_id: VariantId,
    /// The place, where the line named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clinic_id: Option<ClinicId>,
    /// How many the line wants.
    pub quantity: u32,
    /// How many of the variant are available, at the place or at all places together.
    pub available: u32,
    /// Whether that is enough for this line and all others that want the same.
    pub enough: bool,
}

/// How all lines would fare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StockCheck {
    /// Whether there is enough for all lines.
    pub enough: bool,
    /// Each line, in the order of the question.
    pub lines: Vec<CheckedLine>,
}

impl Request for CheckInventory {
    const SUBJECT: &'static str = "inventory.check";
    const ACCESS: Access = Access(&[Who::Service, Who::SignedIn, Who::Permitted]);
    const EFFECT: Effect = Effect::Read;
    type Reply = StockCheck;
    type Error = CatalogError;
}
