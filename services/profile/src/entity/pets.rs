//! Pets.

use sea_orm::entity::prelude::*;
use subjects::ids::{PetId, UserId};
use subjects::profile::{Sex, Species};
use subjects::time::Instant;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PetId,
    pub owner_id: UserId,
    pub name: String,
    pub species: Species,
    pub breed: Option<String>,
    pub sex: Sex,
    pub neutered: Option<bool>,
    pub birth_date: Option<Date>,
    pub weight_grams: Option<i32>,
    pub microchip: Option<String>,
    pub photo_url: Option<String>,
    pub notes: Option<String>,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// Grows with every change, those of who shares it among them.
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
