//! Users.

use super::error::AuthError;
use crate::access::{Access, Who};
use crate::ids::UserId;
use crate::paging::Page;
use crate::patch::present;
use crate::request::{Effect, Request, Rest};
use crate::role::Role;
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether an account can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sea-orm",
    derive(sea_orm::EnumIter, sea_orm::DeriveActiveEnum),
    sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")
)]
pub enum UserStatus {
    /// Made as a step of a larger registration that has not been finished. Cannot sign in.
    Pending,
    /// In use.
    Active,
    /// Put aside by its owner or by the platform. Cannot sign in.
    Inactive,
    /// Locked by the platform. Cannot sign in.
    Suspended,
}

impl UserStatus {
    /// Whether somebody can be signed in to such an account.
    pub const fn can_sign_in(self) -> bool {
        matches!(self, UserStatus::Active)
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The address to sign in with.
    pub email: String,
    /// When it was shown, by a one-time code, that the address is the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified_at: Option<Instant>,
    /// First name, or the only one.
    pub first_name: String,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Whether the account can be used.
    pub status: UserStatus,
    /// What the user may do on the whole platform.
    pub roles: Vec<Role>,
    /// Grows with every change.
    pub version: i64,
    /// When the account was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

/// One user: the caller's own, or any for those who run the platform and for services.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindUser {
    /// The user.
    #[serde(alias = "userId")]
    #[garde(skip)]
    pub id: UserId,
}

impl Request for FindUser {
    const SUBJECT: &'static str = "user.findOne";
    const ACCESS: Access = Access(&[Who::Owner, Who::Permitted, Who::Service]);
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/users/{id}")];
    type Reply = User;
    type Error = AuthError;
}

/// The order of a list of users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum UserSort {
    /// The earliest made first.
    #[serde(rename = "createdAt")]
    CreatedAt,
    /// The latest made first.
    #[serde(rename = "-createdAt")]
    CreatedAtDescending,
}

/// All users, newest first unless told.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindUsers {
    /// Only those with this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub status: Option<UserStatus>,
    /// Only those with this role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub role: Option<Role>,
    /// Only the one with exactly this address. Upper and lower case are one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 254), pattern(r"^[^\x00]*$"))]
    pub email: Option<String>,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub sort: Option<UserSort>,
    /// How many at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(range(min = 1, max = 100))]
    pub limit: Option<u16>,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 512))]
    pub cursor: Option<String>,
}

impl Request for FindUsers {
    const SUBJECT: &'static str = "user.findAll";
    const ACCESS: Access = Access(&[Who::Permitted, Who::Service]);
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/users")];
    type Reply = Page<User>;
    type Error = AuthError;
}

/// Changes what is named of a user and leaves the rest. Needs `If-Match`. The status can be changed only by those
/// who run the platform and by services; an account that can no longer be signed in to loses its sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct UpdateUser {
    /// The user.
    #[serde(alias = "userId")]
    #[garde(skip)]
    pub id: UserId,
    /// First name, or the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 100), pattern(r"^[^\x00]*$"))]
    pub first_name: Option<String>,
    /// Last name; null removes it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 100), pattern(r"^[^\x00]*$"))]
    pub last_name: Option<Option<String>>,
    /// Phone number in international form; null removes it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[garde(pattern(r"^\+?[0-9][0-9 ()-]{4,22}[0-9]$"))]
    pub phone_number: Option<Option<String>>,
    /// Active, inactive or suspended; never pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(custom(not_pending))]
    pub status: Option<UserStatus>,
}

impl Request for UpdateUser {
    const SUBJECT: &'static str = "user.update";
    const ACCESS: Access = Access(&[Who::Owner, Who::Permitted, Who::Service]);
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::patch("/users/{id}")];
    type Reply = User;
    type Error = AuthError;
}

fn not_pending(status: &Option<UserStatus>, _: &()) -> garde::Result {
    match status {
        Some(UserStatus::Pending) => Err(garde::Error::new("an account cannot be made pending")),
        _ => Ok(()),
    }
}
