//! What reservations keep, and where.

use sea_orm::entity::prelude::*;
use subjects::ids::{InventoryId, ReservationId};

/// Pieces of one stock that a reservation keeps.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reservation_lines")]
pub struct Model {
    /// The reservation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub reservation_id: ReservationId,
    /// The stock.
    #[sea_orm(primary_key, auto_increment = false)]
    pub inventory_id: InventoryId,
    /// How many pieces.
    pub quantity: i32,
}

impl ActiveModelBehavior for ActiveModel {}
