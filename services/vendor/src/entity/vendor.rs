//! Vendors.

use sea_orm::entity::prelude::*;
use subjects::ids::VendorId;
use subjects::time::Instant;
use subjects::vendor::{VendorKind, VendorStatus};

/// A vendor.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "vendors")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VendorId,
    /// The name under which it does business.
    pub name: String,
    /// What kind of business it is.
    pub kind: VendorKind,
    /// What it says of itself.
    pub description: Option<String>,
    /// E-mail address for customers.
    pub email: Option<String>,
    /// Telephone number for customers.
    pub phone: Option<String>,
    /// Web site.
    pub website: Option<String>,
    /// Where it stands in its approval.
    pub status: VendorStatus,
    /// Why it was rejected or suspended.
    pub status_reason: Option<String>,
    /// When it was made.
    pub created_at: Instant,
    /// When it last changed.
    pub updated_at: Instant,
    /// Grows with every change.
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
