//! What the auth service tells: ids and states, never an address or a name.

use super::codes::CodePurpose;
use super::roles::RoleState;
use super::users::UserStatus;
use crate::events;
use crate::ids::{CodeId, NotificationId, SessionId, UserId};
use crate::role::{BuiltInRole, Role};
use crate::time::Instant;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A user as other services may know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UserState {
    /// The user.
    pub user_id: UserId,
    /// Grows with every change.
    pub version: i64,
    /// Whether the account can be used.
    pub status: UserStatus,
    /// Which of the built-in roles the user has.
    pub roles: Vec<BuiltInRole>,
    /// Which others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_roles: Vec<Role>,
    /// When the account was made.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

/// A session that has begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StartedSession {
    /// The session.
    pub session_id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// Grows with every change of the session.
    pub version: i64,
    /// When it began.
    pub created_at: Instant,
    /// When it ends unless its tokens are renewed.
    pub expires_at: Instant,
}

/// A session that was ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevokedSession {
    /// The session.
    pub session_id: SessionId,
    /// Whose it was.
    pub user_id: UserId,
    /// Grows with every change of the session.
    pub version: i64,
    /// When it was ended.
    pub revoked_at: Instant,
    /// When the last token that was made for it has expired: from then on the revocation need not be remembered.
    pub expires_at: Instant,
}

/// A message that a user is to get.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestedNotification {
    /// The message.
    pub notification_id: NotificationId,
    /// Always 1: nothing changes it.
    pub version: i64,
    /// Who is to get it.
    pub user_id: UserId,
    /// What it says.
    pub kind: NotificationKind,
    /// The one-time code in it. The code itself, and where it goes, `auth.codeToSend` answers.
    pub code_id: CodeId,
    /// What the code is for.
    pub purpose: CodePurpose,
    /// When it was asked for.
    pub created_at: Instant,
    /// From when on sending it makes no sense.
    pub expires_at: Instant,
}

/// What a message to a user says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// A one-time code.
    OneTimeCode,
}

events! {
    service "auth";
    body UserState, id user_id, version version;
    /// An account can be used for the first time.
    UserRegistered = "user.registered", document "UserRegistered";
    /// A user has another password.
    UserPasswordChanged = "user.password_changed", document "PasswordChanged";
    /// A user's data, status or roles are others.
    UserUpdated = "user.updated";
}

events! {
    service "auth";
    body StartedSession, id session_id, version version;
    /// Somebody has signed in. The session is the aggregate, so that signing in does not change the user's version.
    UserLoggedIn = "user.logged_in", document "UserLoggedIn";
}

events! {
    service "auth";
    body RevokedSession, id session_id, version version;
    /// A session was ended before its time: none of its tokens holds any longer.
    SessionRevoked = "session.revoked";
}

events! {
    service "auth";
    body RoleState, id role_id, version version;
    /// A role was made, or allows something else.
    RoleUpdated = "role.updated";
    /// A role is gone.
    RoleRemoved = "role.removed";
}

events! {
    service "auth";
    body RequestedNotification, id notification_id, version version;
    /// A user is to get a message. It holds neither the message nor an address.
    NotificationRequested = "notification.requested";
}
