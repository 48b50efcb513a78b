//! One-time codes, and what they are good for.

use super::error::AuthError;
use super::secret::{Code, NewPassword, Token};
use crate::access::Access;
use crate::audit::Audit;
use crate::ids::CodeId;
use crate::request::{Budget, Effect, Request, Rest};
use crate::time::Instant;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a one-time code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sea-orm",
    derive(sea_orm::EnumIter, sea_orm::DeriveActiveEnum),
    sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")
)]
pub enum CodePurpose {
    /// Setting another password without the present one.
    PasswordReset,
    /// Showing that the account's e-mail address is its user's.
    EmailVerification,
}

/// Has a one-time code sent to an e-mail address, if there is an account that it can be used for. The answer is the same
/// where there is none. A new code voids the former one of the same purpose. The next one can be had after a minute, and
/// after twice as long each further time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct RequestCode {
    /// The address of the account.
    #[garde(length(chars, min = 1, max = 254), pattern(r"^[^\x00]*$"))]
    pub email: String,
    /// What it is for.
    #[garde(skip)]
    pub purpose: CodePurpose,
}

impl Request for RequestCode {
    const SUBJECT: &'static str = "auth.requestCode";
    const ACCESS: Access = Access::PUBLIC;
    const EFFECT: Effect = Effect::Once;
    const AUDIT: Audit = Audit::Always;
    const BUDGET: Budget = Budget::Codes;
    const REST: &'static [Rest] = &[Rest::post("/auth/codes", 202)];
    type Reply = RequestedCode;
    type Error = AuthError;
}

/// A code that was asked for. Whether one was sent, it does not tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestedCode {
    /// What the code is shown with. Nobody but whoever asked for it knows it, so nobody else can use up its tries.
    pub code_id: CodeId,
    /// Until when it holds.
    pub expires_at: Instant,
}

/// Shows a one-time code. It can be shown once; after five wrong ones none is right. One for another password is answered
/// with a token for `auth.resetPassword`; by one for an e-mail address, that is verified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct VerifyCode {
    /// Which code, as the answer to the request for it said.
    #[garde(skip)]
    pub code_id: CodeId,
    /// The six digits that were sent.
    #[garde(dive)]
    pub code: Code,
}

impl Request for VerifyCode {
    const SUBJECT: &'static str = "auth.verifyCode";
    const ACCESS: Access = Access::PUBLIC;
    const EFFECT: Effect = Effect::Once;
    const AUDIT: Audit = Audit::Always;
    const BUDGET: Budget = Budget::Codes;
    const REST: &'static [Rest] = &[Rest::post("/auth/codes/verify", 200)];
    type Reply = VerifiedCode;
    type Error = AuthError;
}

/// A code that was right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedCode {
    /// What it was for.
    pub purpose: CodePurpose,
    /// For another password: buys it, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_token: Option<Token>,
    /// Until when that token holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_expires_at: Option<Instant>,
}

/// Sets another password for whoever has shown a code for that. All sessions of the user end, and waits after too many
/// attempts do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct ResetPassword {
    /// The token that `auth.verifyCode` answered.
    #[serde(alias = "token")]
    #[garde(dive)]
    pub reset_token: Token,
    /// 8 to 128 characters, not one of the most common passwords.
    #[serde(alias = "password")]
    #[garde(dive)]
    pub new_password: NewPassword,
}

impl Request for ResetPassword {
    const SUBJECT: &'static str = "auth.resetPassword";
    const ACCESS: Access = Access::PUBLIC;
    const EFFECT: Effect = Effect::Once;
    const AUDIT: Audit = Audit::Always;
    const BUDGET: Budget = Budget::Credentials;
    const REST: &'static [Rest] = &[Rest::post("/auth/password/reset", 204)];
    type Reply = ();
    type Error = AuthError;
}

/// What is to be sent for a code of which `notification.requested` has told, as long as the code can be used. Only the
/// notification service is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FindCodeToSend {
    /// The code.
    #[garde(skip)]
    pub code_id: CodeId,
}

impl Request for FindCodeToSend {
    const SUBJECT: &'static str = "auth.codeToSend";
    const ACCESS: Access = Access::SERVICE;
    const EFFECT: Effect = Effect::Read;
    type Reply = CodeToSend;
    type Error = AuthError;
}

/// A code and to whom it goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CodeToSend {
    /// The address of the account.
    pub email: String,
    /// First name, or the only one.
    pub first_name: String,
    /// What the code is for.
    pub purpose: CodePurpose,
    /// Six digits.
    pub code: Code,
    /// Until when it holds.
    pub expires_at: Instant,
}
