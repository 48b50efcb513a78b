//! Registrations of vendors together with their owners.

use sea_orm::entity::prelude::*;
use subjects::ids::{UserId, VendorId};
use subjects::time::Instant;

/// How far one `vendor.register` has come. It holds ids and hashes only, nothing of the person.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "registrations")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The id that the user has or will have.
    pub user_id: UserId,
    /// The id that the vendor has or will have.
    pub vendor_id: VendorId,
    /// How far it has come.
    pub step: RegistrationStep,
    /// The fault with which it was refused; null otherwise, also when it only ran out of time.
    pub refusal: Option<Json>,
    /// What it is found by when it is asked for again; null where no idempotency key was sent.
    pub key_hash: Option<Vec<u8>>,
    /// What tells whether the same is asked for again ([`crate::request_key`]); null where no idempotency key was
    /// sent.
    pub fingerprint: Option<Vec<u8>>,
    /// When it began.
    pub created_at: Instant,
    /// When it last came further.
    pub updated_at: Instant,
    /// Grows with every step.
    pub version: i64,
}

/// How far a registration has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum RegistrationStep {
    /// The ids are made; there may be a pending user.
    Started,
    /// The vendor and the membership are there; the user is pending or active.
    VendorCreated,
    /// The user is active.
    Done,
    /// Refused, given up or taken back; there is no vendor, and the user of the id was never asked to be activated.
    Failed,
}

impl ActiveModelBehavior for ActiveModel {}
