//! Those who perform services.

use sea_orm::entity::prelude::*;
use subjects::ids::{StaffId, UserId, VendorId};
use subjects::time::Instant;

/// A staff member. Their clinics stand in [`super::staff_clinic`], their services in [`super::staff_service`].
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "staff")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StaffId,
    /// The vendor.
    pub vendor_id: VendorId,
    /// The name that customers see.
    pub display_name: String,
    /// Title or profession.
    pub title: Option<String>,
    /// The account of the person.
    pub user_id: Option<UserId>,
    /// Their own week as the contract writes it; null: whenever the clinic is open.
    pub hours: Option<Json>,
    /// The dates on which they work otherwise than usual, as the contract writes them.
    pub exceptions: Json,
    /// Whether they can be booked.
    pub active: bool,
    /// When they were added.
    pub created_at: Instant,
    /// When they last changed.
    pub updated_at: Instant,
    /// Grows with every change.
    pub version: i64,
    /// The vendor.
    #[sea_orm(belongs_to, from = "vendor_id", to = "id")]
    pub vendor: HasOne<super::vendor::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
