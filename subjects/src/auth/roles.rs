//! Roles: what each allows, and who has which.

use super::error::AuthError;
use super::users::User;
use crate::access::Access;
use crate::audit::Audit;
use crate::ids::{RoleId, UserId};
use crate::paging::Page;
use crate::request::{Effect, Request, Rest};
use crate::role::Role;
use crate::rules;
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every role with its permissions. There are few, so they come on one page.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
pub struct FindRoles {}

impl Request for FindRoles {
    const SUBJECT: &'static str = "role.findAll";
    const ACCESS: Access = Access::PERMITTED;
    const EFFECT: Effect = Effect::Read;
    const AUDIT: Audit = Audit::Refusals;
    const REST: &'static [Rest] = &[Rest::get("/roles")];
    type Reply = Page<RoleDetails>;
    type Error = AuthError;
}

/// One role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct FindRole {
    /// The role.
    #[garde(skip)]
    pub id: RoleId,
}

impl Request for FindRole {
    const SUBJECT: &'static str = "role.findOne";
    const ACCESS: Access = Access::PERMITTED;
    const EFFECT: Effect = Effect::Read;
    const AUDIT: Audit = Audit::Refusals;
    const REST: &'static [Rest] = &[Rest::get("/roles/{id}")];
    type Reply = RoleDetails;
    type Error = AuthError;
}

/// A role and what it allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleDetails {
    /// Its id.
    pub id: RoleId,
    /// Its name, by which it is given to users.
    pub name: Role,
    /// For people.
    pub description: String,
    /// Names of permissions, for example `vendor.approve`. Those who run the platform have all that there are; what
    /// customers may do follows from what is theirs, not from permissions.
    pub permissions: Vec<String>,
    /// Whether it is always there, and cannot be changed.
    pub built_in: bool,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

/// Makes a role. Nobody can put a permission into it that they do not have themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CreateRole {
    /// Its name: 2 to 40 small letters, digits and underscores, a letter first. It never changes.
    #[garde(length(chars, min = 2, max = 40), pattern(r"^[a-z][a-z0-9_]{1,39}$"))]
    pub name: String,
    /// For people.
    #[garde(length(chars, min = 1, max = 200), custom(rules::readable))]
    #[schemars(regex(pattern = rules::READABLE))]
    pub description: String,
    /// Names of permissions, as `permission.findAll` lists them.
    #[garde(length(max = 300), inner(length(chars, min = 1, max = 100), pattern(r"^[A-Za-z.]*$")))]
    pub permissions: Vec<String>,
}

impl Request for CreateRole {
    const SUBJECT: &'static str = "role.create";
    const ACCESS: Access = Access::PERMITTED;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::post("/roles", 201)];
    type Reply = RoleDetails;
    type Error = AuthError;
}

/// Replaces what a role allows, for everybody who has it, at once. Needs `If-Match`. Roles that are built in stay as they
/// are. Nobody can put a permission into a role, or take one out, that they do not have themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct UpdateRole {
    /// The role.
    #[garde(skip)]
    pub id: RoleId,
    /// For people.
    #[garde(length(chars, min = 1, max = 200), custom(rules::readable))]
    #[schemars(regex(pattern = rules::READABLE))]
    pub description: String,
    /// All permissions that it has from now on, as `permission.findAll` lists them.
    #[garde(length(max = 300), inner(length(chars, min = 1, max = 100), pattern(r"^[A-Za-z.]*$")))]
    pub permissions: Vec<String>,
}

impl Request for UpdateRole {
    const SUBJECT: &'static str = "role.update";
    const ACCESS: Access = Access::PERMITTED;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::put("/roles/{id}")];
    type Reply = RoleDetails;
    type Error = AuthError;
}

/// Removes a role that nobody has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
pub struct RemoveRole {
    /// The role.
    #[garde(skip)]
    pub id: RoleId,
}

impl Request for RemoveRole {
    const SUBJECT: &'static str = "role.remove";
    const ACCESS: Access = Access::PERMITTED;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::delete("/roles/{id}", 204)];
    type Reply = ();
    type Error = AuthError;
}

/// Every permission that a role can be given. They follow from the operations that there are, so they come on one page.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema, Validate)]
pub struct FindPermissions {}

impl Request for FindPermissions {
    const SUBJECT: &'static str = "permission.findAll";
    const ACCESS: Access = Access::PERMITTED;
    const EFFECT: Effect = Effect::Read;
    const AUDIT: Audit = Audit::Refusals;
    const REST: &'static [Rest] = &[Rest::get("/permissions")];
    type Reply = Page<PermissionDetails>;
    type Error = AuthError;
}

/// A permission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PermissionDetails {
    /// Its name: as a rule that of the operation that it is for.
    pub name: String,
    /// What the operation does.
    pub description: String,
    /// Whether others may do it too, with what is theirs or what everybody sees: then the permission is for the rows of
    /// everybody.
    pub extends: bool,
}

/// Replaces a user's roles. Needs `If-Match`. A user who loses a role is signed out everywhere, since tokens carry roles.
/// Nobody can give or take a role that allows what they may not do themselves, and somebody who runs the platform stays.
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
    const ACCESS: Access = Access::PERMITTED;
    const EFFECT: Effect = Effect::Keyed;
    const REST: &'static [Rest] = &[Rest::put("/users/{id}/roles")];
    type Reply = User;
    type Error = AuthError;
}

/// A role as services know it that check what it allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoleState {
    /// The role.
    pub role_id: RoleId,
    /// Its name, as tokens carry it.
    pub name: String,
    /// Names of permissions.
    pub permissions: Vec<String>,
    /// Grows with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

crate::snapshots! {
    service "auth";
    /// Roles as their events tell them. What is built in is among them, with no permission: everybody knows what it allows.
    RoleSnapshot = "role.snapshot" of RoleState, id role_id;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::RoleName;

    #[test]
    fn what_can_be_made_is_what_names_a_role() {
        let made = |name: &str| CreateRole {
            name: name.to_owned(),
            description: "Helps".to_owned(),
            permissions: vec!["vendor.approve".to_owned()],
        };
        for name in ["support", "a1", "Support", "x", "1st", "a-b", "é_é", &"x".repeat(40), &"x".repeat(41)] {
            assert_eq!(made(name).validate().is_ok(), Role::parse(name).is_some(), "{name}");
        }
        let mut both = made("support");
        both.permissions = vec!["no spaces".to_owned(), String::new()];
        both.description = " ".to_owned();
        let report = both.validate().unwrap_err();
        let places: std::collections::BTreeSet<String> = report.iter().map(|(place, _)| place.to_string()).collect();
        assert_eq!(places.into_iter().collect::<Vec<_>>(), ["description", "permissions[0]", "permissions[1]"]);
        assert_eq!(RoleName::PATTERN, r"^[a-z][a-z0-9_]{1,39}$");
    }
}
