//! Where users are signed in.

use sea_orm::entity::prelude::*;
use subjects::ids::{SessionId, UserId};
use subjects::time::Instant;

/// A session: one family of refresh tokens.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The name that was given at sign-in.
    pub device: Option<String>,
    /// Grows with every event about the session.
    pub version: i64,
    /// When it began.
    pub created_at: Instant,
    /// When its tokens were last renewed.
    pub last_used_at: Instant,
    /// When it ends unless its tokens are renewed.
    pub expires_at: Instant,
    /// When it was ended.
    pub revoked_at: Option<Instant>,
    /// Why it was ended.
    pub revoked_reason: Option<RevocationReason>,
}

/// Why a session was ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum RevocationReason {
    /// Its user signed out.
    Logout,
    /// Its user ended it from another session, or began one too many.
    Revoked,
    /// Its user has another password.
    PasswordChanged,
    /// A spent refresh token was shown.
    TokenReused,
    /// Its user lost a role.
    RoleRemoved,
    /// Its user's account is not active any more.
    AccountClosed,
}

impl ActiveModelBehavior for ActiveModel {}
