//! Stock that is kept for somebody.

use sea_orm::entity::prelude::*;
use subjects::catalog::ReservationStatus;
use subjects::ids::{ReservationId, UserId};
use subjects::time::Instant;

/// A reservation; what it keeps stands in its lines.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reservations")]
pub struct Model {
    /// The reservation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ReservationId,
    /// Counts its changes.
    pub version: i64,
    /// Where it stands.
    pub status: ReservationStatus,
    /// The service that made it, where one did.
    pub service: Option<String>,
    /// The user who made it, where no service did.
    pub user_id: Option<UserId>,
    /// Until when the pieces are kept.
    pub expires_at: Instant,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
}

impl ActiveModelBehavior for ActiveModel {}
