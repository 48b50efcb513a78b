//! Roles of users.

use super::error::AuthError;
use super::users::User;
use crate::access::{Access, Role};
use crate::ids::UserId;
use crate::paging::Page;
use crate::request::{Effect, Request, Rest};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every role with its permissions. There are few, so they come on one page.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
pub struct FindRoles {}

impl Request for FindRoles {
    const SUBJECT: &'static str = "role.findAll";
    const ACCESS: Access = Access::PLATFORM_ADMIN;
    const EFFECT: Effect = Effect::Read;
    const REST: &'static [Rest] = &[Rest::get("/roles")];
    type Reply = Page<RoleDetails>;
    type Error = AuthError;
}

/// A role and what it allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleDetails {
    /// The role.
    pub name: Role,
    /// For people.
    pub description: String,
    /// Names of permissions, for example `user.suspend`.
    pub permissions: Vec<String>,
}

/// Replaces a user's roles. Needs `If-Match`. A user who loses a role is signed out everywhere, since tokens carry
/// roles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct AssignRoles {
    /// The user.
    #[serde(alias = "userId")]
    #[garde(skip)]
    pub id: UserId,
    /// All roles that the user has from now on.
    #[garde(length(max = 8))]
    pub roles: Vec<Role>,
}

impl Request for AssignRoles {
    const SUBJECT: &'static str = "role.assign";
    const ACCESS: Access = Access::PLATFORM_ADMIN;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::put("/users/{id}/roles")];
    type Reply = User;
    type Error = AuthError;
}
