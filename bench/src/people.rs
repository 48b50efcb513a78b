//! Those who ask: accounts of the demo data, and people who have no account but a signed token.

use chrono::Utc;
use identity::keys::{AUTH, KeyStore, Purpose};
use identity::{AccessTokens, User};
use petpro::demo_users::{self, DemoUser};
use serde_json::json;
use subjects::Role;
use subjects::ids::{SessionId, UserId};

/// Somebody without an account.
pub fn somebody(role: Role) -> User {
    User { id: UserId::new(), session: SessionId::new(), roles: vec![role] }
}

/// A person of the demo data.
fn with_account(user: &DemoUser) -> User {
    User { id: user.id(), session: SessionId::new(), roles: vec![user.role] }
}

/// Signed with the platform's own key: a login would only measure password hashing.
///
/// # Errors
/// There is no key.
pub fn access_token(keys: &KeyStore, user: User) -> anyhow::Result<String> {
    let tokens = AccessTokens::new(keys.signing_key(AUTH, Purpose::Access)?);
    Ok(tokens.issue(&user, Utc::now()))
}

/// Access tokens of so many customers.
///
/// # Errors
/// There is no key.
pub fn customers(keys: &KeyStore, count: usize) -> anyhow::Result<Vec<String>> {
    (0..count).map(|_| access_token(keys, somebody(Role::Customer))).collect()
}

/// Access tokens of everybody who has an account.
///
/// # Errors
/// There is no key.
pub fn account_holders(keys: &KeyStore) -> anyhow::Result<Vec<String>> {
    demo_users::ALL.iter().map(|user| access_token(keys, with_account(user))).collect()
}

/// The bodies with which these sign in.
pub fn logins() -> Vec<String> {
    let body = |user: &DemoUser| json!({ "email": user.email, "password": demo_users::PASSWORD }).to_string();
    demo_users::ALL.iter().map(body).collect()
}
