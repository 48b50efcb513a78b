//! Accounts.

use sea_orm::entity::prelude::*;
use subjects::auth::UserStatus;
use subjects::ids::UserId;
use subjects::time::Instant;

/// An account. Its roles stand in [`super::user_role`].
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// Normalised address; unique.
    pub email: String,
    /// When it was shown that the address is the user's.
    pub email_verified_at: Option<Instant>,
    /// PHC string of argon2id.
    pub password_hash: String,
    /// First name, or the only one.
    pub first_name: String,
    /// Last name.
    pub last_name: Option<String>,
    /// Phone number.
    pub phone_number: Option<String>,
    /// Whether the account can be used.
    pub status: UserStatus,
    /// Until when a pending account waits to be activated; null for any other.
    pub expires_at: Option<Instant>,
    /// Grows with every change.
    pub version: i64,
    /// When the account was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// What the user may do on the whole platform.
    #[sea_orm(has_many)]
    pub roles: HasMany<super::user_role::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
