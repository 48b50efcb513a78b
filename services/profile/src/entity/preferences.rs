//! Preferences.

use sea_orm::entity::prelude::*;
use subjects::ids::UserId;
use subjects::profile::Language;
use subjects::time::Instant;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "preferences")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: UserId,
    pub language: Language,
    /// IANA name.
    pub time_zone: String,
    pub email: bool,
    pub push: bool,
    pub sms: bool,
    pub whatsapp: bool,
    pub quiet_from: Option<Time>,
    pub quiet_to: Option<Time>,
    pub updated_at: Instant,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
