//! Refresh tokens.

use sea_orm::entity::prelude::*;
use subjects::ids::SessionId;
use subjects::time::Instant;

/// A refresh token, without the token.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_tokens")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The session whose tokens it renews.
    pub session_id: SessionId,
    /// SHA-256 of the token; unique.
    pub token_hash: Vec<u8>,
    /// When it was given out.
    pub created_at: Instant,
    /// When it expires.
    pub expires_at: Instant,
    /// When it was spent.
    pub spent_at: Option<Instant>,
    /// With what its successor is derived from the token; there from the moment that it is spent.
    pub successor_nonce: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}
