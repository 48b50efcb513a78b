//! What clinics offer.

use sea_orm::entity::prelude::*;
use subjects::ids::{ClinicId, ServiceId, VendorId};
use subjects::time::Instant;

/// A service of a clinic. The database keeps its numbers within the bounds of the contract.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "clinic_services")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ServiceId,
    /// The clinic that offers it.
    pub clinic_id: ClinicId,
    /// The clinic's vendor.
    pub vendor_id: VendorId,
    /// Name, unique at the clinic without regard to case.
    pub name: String,
    /// What it consists of.
    pub description: Option<String>,
    /// Length in minutes.
    pub duration_minutes: i32,
    /// Minutes kept free before it.
    pub buffer_before_minutes: i32,
    /// Minutes kept free after it.
    pub buffer_after_minutes: i32,
    /// Price in minor units.
    pub price_amount: i64,
    /// ISO 4217.
    pub price_currency: String,
    /// Pets a session.
    pub capacity: i32,
    /// Minutes between the beginnings of its slots.
    pub slot_step_minutes: i32,
    /// Minutes before the visit until which customers book it.
    pub minimum_notice_minutes: i32,
    /// Days ahead from which customers book it.
    pub booking_window_days: i32,
    /// Whether it is offered.
    pub active: bool,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// Grows with every change.
    pub version: i64,
    /// The clinic that offers it.
    #[sea_orm(belongs_to, from = "clinic_id", to = "id")]
    pub clinic: HasOne<super::clinic::Entity>,
    /// The clinic's vendor.
    #[sea_orm(belongs_to, from = "vendor_id", to = "id")]
    pub vendor: HasOne<super::vendor::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
