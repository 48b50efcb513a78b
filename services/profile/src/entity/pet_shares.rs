//! Shared pets, and invitations to share one.

use sea_orm::entity::prelude::*;
use subjects::ids::{PetId, PetShareId, UserId};
use subjects::profile::ShareRole;
use subjects::time::Instant;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pet_shares")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PetShareId,
    pub pet_id: PetId,
    pub role: ShareRole,
    /// None until somebody has accepted it.
    pub user_id: Option<UserId>,
    /// SHA-256 of the code.
    pub code_hash: Vec<u8>,
    pub expires_at: Instant,
    pub created_at: Instant,
    pub accepted_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
