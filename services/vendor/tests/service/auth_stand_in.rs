//! The other end of the registration saga: answers `auth.createUser` and `auth.activateUser` as the contract says, and
//! can be told to fail in between. The saga with the auth service itself is part of the end-to-end tests.

use platform::{App, Cx, Service};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use subjects::auth::{ActivateUser, AuthError, CreateUser, User, UserStatus};
use subjects::ids::UserId;
use subjects::{Fault, Role};

#[derive(Default)]
pub struct Accounts {
    pub users: BTreeMap<UserId, User>,
    /// Makes the user, but the answer gets lost.
    pub loses_the_answer_of_create: bool,
    /// Is away when a user is to be activated.
    pub cannot_activate: bool,
}

#[derive(Clone, Default)]
pub struct AuthStandIn(pub Arc<Mutex<Accounts>>);

impl App for AuthStandIn {
    const NAME: &'static str = "auth";
}

platform::calls!(AuthStandIn => []);

pub fn service() -> Service<AuthStandIn> {
    Service::new().on(create_user).on(activate_user)
}

async fn create_user(cx: Cx<AuthStandIn>, request: CreateUser) -> Result<User, AuthError> {
    let mut accounts = cx.app.0.lock().unwrap();
    let known = accounts.users.values().find(|user| user.email == request.email).cloned();
    let user = match known {
        Some(user) if user.id == request.id => user,
        Some(_) => return Err(AuthError::EmailTaken),
        None => pending(request),
    };
    accounts.users.insert(user.id, user.clone());
    if accounts.loses_the_answer_of_create {
        return Err(AuthError::Fault(Fault::unavailable(1)));
    }
    Ok(user)
}

fn pending(request: CreateUser) -> User {
    let now = chrono::Utc::now();
    User {
        id: request.id,
        email: request.email,
        first_name: request.first_name,
        last_name: request.last_name,
        email_verified_at: None,
        phone_number: request.phone_number,
        status: UserStatus::Pending,
        roles: vec![Role::Customer],
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

async fn activate_user(cx: Cx<AuthStandIn>, request: ActivateUser) -> Result<User, AuthError> {
    let mut accounts = cx.app.0.lock().unwrap();
    if accounts.cannot_activate {
        return Err(AuthError::Fault(Fault::unavailable(1)));
    }
    let user = accounts.users.get_mut(&request.id).ok_or(AuthError::UserNotFound)?;
    user.status = UserStatus::Active;
    Ok(user.clone())
}
