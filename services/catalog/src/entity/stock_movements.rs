//! What happened to stock; rows are only ever added.

use sea_orm::entity::prelude::*;
use serde::Serialize;
use subjects::catalog::{MovementReason, StockActor};
use subjects::ids::{InventoryId, ReservationId, StockMovementId, UserId};
use subjects::time::Instant;

/// One change of a stock.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "stock_movements")]
pub struct Model {
    /// The movement.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StockMovementId,
    /// The stock.
    pub inventory_id: InventoryId,
    /// The stock's version after it.
    pub version: i64,
    /// When.
    pub moved_at: Instant,
    /// Why.
    pub reason: MovementReason,
    /// In what capacity it was done.
    pub actor: StockActor,
    /// The user who did it.
    pub actor_id: Option<UserId>,
    /// The service that did it.
    pub service: Option<String>,
    /// The reservation that it belongs to.
    pub reservation_id: Option<ReservationId>,
    /// How many pieces came or went.
    pub on_hand_change: i32,
    /// How many were promised, or are no more.
    pub reserved_change: i32,
    /// How many were there afterwards.
    pub on_hand: i32,
    /// How many of them were promised.
    pub reserved: i32,
    /// The reorder level from then on.
    pub reorder_level: i32,
}

impl ActiveModelBehavior for ActiveModel {}
