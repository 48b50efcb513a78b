//! What happened to bookings; rows are only ever added.

use sea_orm::entity::prelude::*;
use store::person::SealedText;
use subjects::booking::{ActorKind, Attention, BookingStatus, ChangeKind};
use subjects::ids::{BookingId, StaffId, UserId};
use subjects::time::Instant;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "booking_changes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub booking_id: BookingId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    pub kind: ChangeKind,
    pub changed_at: Instant,
    pub actor: ActorKind,
    pub actor_id: Option<UserId>,
    pub status: BookingStatus,
    pub staff_id: StaffId,
    pub starts_at: Instant,
    pub ends_at: Instant,
    pub notes: Option<SealedText>,
    pub reason: Option<SealedText>,
    pub attention: Option<Attention>,
    /// In the price's currency.
    pub fee_amount: i64,
    /// The fields of the booking's row that changed, all of them in the first entry.
    #[sea_orm(column_type = "JsonBinary")]
    pub delta: Json,
}

impl ActiveModelBehavior for ActiveModel {}
