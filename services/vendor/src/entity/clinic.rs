//! Clinics.

use sea_orm::entity::prelude::*;
use subjects::ids::{ClinicId, VendorId};
use subjects::time::Instant;

/// A clinic of a vendor. The opening hours, an aggregate of their own, keep their version here.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "clinics")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ClinicId,
    /// Whose it is.
    pub vendor_id: VendorId,
    /// Name.
    pub name: String,
    /// What it says of itself.
    pub description: Option<String>,
    /// Telephone number for customers.
    pub phone: Option<String>,
    /// Street and house number.
    pub street: String,
    /// District.
    pub district: Option<String>,
    /// City or regency.
    pub city: String,
    /// Province.
    pub province: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Degrees north; present when the longitude is.
    pub latitude: Option<f64>,
    /// Degrees east; present when the latitude is.
    pub longitude: Option<f64>,
    /// IANA name.
    pub time_zone: String,
    /// How long it has to confirm a booking.
    pub confirm_within_minutes: i32,
    /// Until how long before the visit cancelling costs nothing.
    pub cancel_notice_minutes: i32,
    /// What it costs after that, in percent of the price.
    pub cancel_fee_percent: i32,
    /// Until how long before the visit moving it costs nothing.
    pub reschedule_notice_minutes: i32,
    /// What it costs after that, in percent of the price.
    pub reschedule_fee_percent: i32,
    /// Whether it takes bookings at all.
    pub active: bool,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// Grows with every change of the clinic.
    pub version: i64,
    /// When its opening hours last changed.
    pub schedule_updated_at: Instant,
    /// Grows with every change of its opening hours.
    pub schedule_version: i64,
    /// Whose it is.
    #[sea_orm(belongs_to, from = "vendor_id", to = "id")]
    pub vendor: HasOne<super::vendor::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
