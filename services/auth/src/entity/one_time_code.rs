//! One-time codes.

use sea_orm::entity::prelude::*;
use subjects::auth::CodePurpose;
use subjects::ids::{CodeId, UserId};
use subjects::time::Instant;

/// A code, without the code.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "one_time_codes")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CodeId,
    /// The keyed hash of the e-mail address that it was asked for.
    pub account: Vec<u8>,
    /// What it is for.
    pub purpose: CodePurpose,
    /// Who gets it, where there is an account that it can be used for.
    pub user_id: Option<UserId>,
    /// From what it follows, see [`crate::domain::code::code`].
    pub nonce: Vec<u8>,
    /// How often one was shown.
    pub tries: i32,
    /// When it was asked for.
    pub created_at: Instant,
    /// When it expires.
    pub expires_at: Instant,
    /// When the task that has codes sent came by.
    pub told_at: Option<Instant>,
    /// When it was shown.
    pub spent_at: Option<Instant>,
    /// SHA-256 of the token for another password that was given for it; unique.
    pub reset_token_hash: Option<Vec<u8>>,
    /// When that expires.
    pub reset_expires_at: Option<Instant>,
}

impl ActiveModelBehavior for ActiveModel {}
