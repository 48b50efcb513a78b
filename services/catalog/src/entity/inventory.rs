//! Stock of variants at places.

use sea_orm::entity::prelude::*;
use subjects::ids::{ClinicId, InventoryId, ProductId, VariantId, VendorId};
use subjects::time::Instant;

/// The stock of a variant at a place.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inventory")]
pub struct Model {
    /// The stock.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: InventoryId,
    /// The variant.
    pub variant_id: VariantId,
    /// Its product.
    pub product_id: ProductId,
    /// The vendor.
    pub vendor_id: VendorId,
    /// The place.
    pub clinic_id: ClinicId,
    /// How many pieces are there.
    pub on_hand: i32,
    /// How many of them are promised.
    pub reserved: i32,
    /// How many can still be promised; the database reckons it.
    pub available: i32,
    /// With so many available, or fewer, it is low.
    pub reorder_level: i32,
    /// Counts its changes.
    pub version: i64,
    /// When it last changed.
    pub updated_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
