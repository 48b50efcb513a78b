//! Addresses of people.

use sea_orm::entity::prelude::*;
use subjects::ids::{AddressId, UserId};
use subjects::time::Instant;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "addresses")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: AddressId,
    pub user_id: UserId,
    pub label: String,
    pub recipient: String,
    pub phone: String,
    pub street: String,
    pub rt: Option<String>,
    pub rw: Option<String>,
    pub village: String,
    pub district: String,
    pub city: String,
    pub province: String,
    pub postal_code: String,
    pub country: String,
    pub latitude: Option<f64>,
    pub longitude: Option<f64>,
    pub notes: Option<String>,
    /// One of a person's addresses is, as long as there are any.
    pub is_default: bool,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
