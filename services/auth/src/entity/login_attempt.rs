//! Who tried to sign in.

use sea_orm::entity::prelude::*;
use subjects::ids::UserId;
use subjects::time::Instant;

/// An attempt to sign in.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_attempts")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// SHA-256 of the normalised address.
    pub email_hash: Vec<u8>,
    /// The account, where there is one.
    pub user_id: Option<UserId>,
    /// How it went.
    pub outcome: LoginOutcome,
    /// When.
    pub attempted_at: Instant,
}

/// How an attempt to sign in went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum LoginOutcome {
    /// Signed in.
    Succeeded,
    /// There is no account with that address.
    UnknownAccount,
    /// The password was wrong.
    WrongPassword,
    /// The password was right, but the account cannot be signed in to.
    NotActive,
}

impl ActiveModelBehavior for ActiveModel {}
