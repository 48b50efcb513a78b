//! Making accounts and changing their passwords.

use super::error::AuthError;
use super::secret::{NewPassword, Password};
use super::users::User;
use crate::access::Access;
use crate::audit::Audit;
use crate::ids::UserId;
use crate::request::{Budget, Effect, Request, Rest};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Creates an account that can sign in at once, with the role `customer`. It does not sign in: no tokens come back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct Register {
    /// The address to sign in with. Upper and lower case are one.
    #[garde(email, length(chars, min = 3, max = 254))]
    pub email: String,
    /// 8 to 128 characters, not one of the most common passwords.
    #[garde(dive)]
    pub password: NewPassword,
    /// First name, or the only one.
    #[garde(length(chars, min = 1, max = 100), pattern(r"^[^\x00]*$"))]
    pub first_name: String,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 100), pattern(r"^[^\x00]*$"))]
    pub last_name: Option<String>,
    /// Phone number in international form, for example `+62 812 3456 7890`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(pattern(r"^\+?[0-9][0-9 ()-]{4,22}[0-9]$"))]
    pub phone_number: Option<String>,
}

impl Request for Register {
    const SUBJECT: &'static str = "auth.register";
    const ACCESS: Access = Access::PUBLIC;
    const EFFECT: Effect = Effect::Keyed;
    const BUDGET: Budget = Budget::Credentials;
    const REST: &'static [Rest] = &[Rest::post("/auth/register", 201)];
    type Reply = User;
    type Error = AuthError;
}

/// Creates a pending account under an id that the caller has chosen, as a step of a larger registration
/// (document 003, flow 3). Nobody can sign in to it before `auth.activateUser`; it is removed when that does not
/// come within 15 minutes. Asking again with the same id and address answers the account that exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct CreateUser {
    /// The new user's id, version 7.
    #[serde(alias = "userId")]
    #[garde(skip)]
    pub id: UserId,
    /// The address to sign in with. Upper and lower case are one.
    #[garde(email, length(chars, min = 3, max = 254))]
    pub email: String,
    /// 8 to 128 characters, not one of the most common passwords.
    #[garde(dive)]
    pub password: NewPassword,
    /// First name, or the only one.
    #[garde(length(chars, min = 1, max = 100), pattern(r"^[^\x00]*$"))]
    pub first_name: String,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(chars, min = 1, max = 100), pattern(r"^[^\x00]*$"))]
    pub last_name: Option<String>,
    /// Phone number in international form, for example `+62 812 3456 7890`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(pattern(r"^\+?[0-9][0-9 ()-]{4,22}[0-9]$"))]
    pub phone_number: Option<String>,
}

impl Request for CreateUser {
    const SUBJECT: &'static str = "auth.createUser";
    const ALIASES: &'static [&'static str] = &["createUser"];
    const ACCESS: Access = Access::SERVICE;
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = User;
    type Error = AuthError;
}

/// Makes a pending account an active one. Doing it again changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct ActivateUser {
    /// The user.
    #[serde(alias = "userId")]
    #[garde(skip)]
    pub id: UserId,
}

impl Request for ActivateUser {
    const SUBJECT: &'static str = "auth.activateUser";
    const ACCESS: Access = Access::SERVICE;
    const EFFECT: Effect = Effect::Idempotent;
    type Reply = User;
    type Error = AuthError;
}

/// Changes the caller's password and ends all their other sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct ChangePassword {
    /// The password until now.
    #[serde(alias = "oldPassword")]
    #[garde(dive)]
    pub current_password: Password,
    /// 8 to 128 characters, not one of the most common passwords.
    #[serde(alias = "password")]
    #[garde(dive)]
    pub new_password: NewPassword,
}

impl Request for ChangePassword {
    const SUBJECT: &'static str = "auth.changePassword";
    const ACCESS: Access = Access::SIGNED_IN;
    const EFFECT: Effect = Effect::Keyed;
    const AUDIT: Audit = Audit::Always;
    const BUDGET: Budget = Budget::Credentials;
    const REST: &'static [Rest] = &[Rest::post("/auth/password", 204)];
    type Reply = ();
    type Error = AuthError;
}
