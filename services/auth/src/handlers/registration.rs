//! Making accounts.

use super::Cx;
use crate::account::Account;
use crate::domain::users::PENDING_LIFETIME;
use crate::domain::{email, password};
use crate::entity::user;
use crate::passwords::Turn;
use crate::repo::users;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use store::Tx;
use subjects::auth::{ActivateUser, AuthError, CreateUser, NewPassword, Register, User, UserRegistered, UserStatus};
use subjects::ids::UserId;
use subjects::{Fault, Role};

/// `auth.register`: an account that can be used at once.
pub async fn register(cx: Cx, req: Register) -> Result<User, AuthError> {
    let email = email::normalised(&req.email);
    check_new_password("/password", req.password.expose(), &email)?;

    let turn = cx.app.passwords.turn().await?;
    let password_hash = turn.hash(req.password.expose()).await?;
    let recorded = recorded_without_password(&cx, &turn, &req, &email).await?;
    drop(turn);
    // Nobody who registers is signed in: two people who send the same key must not get each other's answers.
    let scope = URL_SAFE_NO_PAD.encode(email::hash(&email));
    let account = &new_account(NewAccount {
        id: UserId::new(),
        email,
        password_hash,
        first_name: req.first_name,
        last_name: req.last_name,
        phone_number: req.phone_number,
        status: UserStatus::Active,
    });
    cx.app
        .store
        .keyed_in(&cx, &scope, &recorded, |tx| async move {
            users::remove_expired_with_email(&tx, &account.row.email, account.row.created_at).await?;
            if !users::insert(&tx, account).await? {
                return Err(AuthError::EmailTaken);
            }
            tx.emit(&UserRegistered(account.to_state())).await?;
            Ok(account.to_user())
        })
        .await
}

/// `auth.createUser`: a pending account under an id of the caller's choice.
pub async fn create_user(cx: Cx, req: CreateUser) -> Result<User, AuthError> {
    let email = email::normalised(&req.email);
    check_new_password("/password", req.password.expose(), &email)?;

    let password_hash = cx.app.passwords.hash(req.password.expose()).await?;
    let account = &new_account(NewAccount {
        id: req.id,
        email,
        password_hash,
        first_name: req.first_name,
        last_name: req.last_name,
        phone_number: req.phone_number,
        status: UserStatus::Pending,
    });
    cx.app
        .store
        .write(&cx, |tx| async move {
            users::remove_expired_with_email(&tx, &account.row.email, account.row.created_at).await?;
            if users::insert(&tx, account).await? {
                return Ok(account.to_user());
            }
            match users::find(&tx, account.row.id).await? {
                Some(existing) if existing.row.email == account.row.email => Ok(existing.to_user()),
                _ => Err(AuthError::EmailTaken),
            }
        })
        .await
}

/// `auth.activateUser`: a pending account becomes one that can be used.
pub async fn activate_user(cx: Cx, req: ActivateUser) -> Result<User, AuthError> {
    cx.app.store.write(&cx, |tx| async move { activate(&tx, req.id).await }).await
}

async fn activate(tx: &Tx, id: UserId) -> Result<User, AuthError> {
    let now = store::now();
    let mut account = users::lock(tx, id).await?.ok_or(AuthError::UserNotFound)?;
    let Some(expires_at) = account.row.expires_at else { return Ok(account.to_user()) };
    if expires_at <= now {
        return Err(AuthError::UserNotFound);
    }
    account.row.status = UserStatus::Active;
    account.row.expires_at = None;
    account.row.version += 1;
    account.row.updated_at = now;
    users::save(tx, &account.row).await?;
    tx.emit(&UserRegistered(account.to_state())).await?;
    Ok(account.to_user())
}

struct NewAccount {
    id: UserId,
    email: String,
    password_hash: String,
    first_name: String,
    last_name: Option<String>,
    phone_number: Option<String>,
    status: UserStatus,
}

fn new_account(new: NewAccount) -> Account {
    let NewAccount { id, email, password_hash, first_name, last_name, phone_number, status } = new;
    let now = store::now();
    let row = user::Model {
        id,
        email,
        email_verified_at: None,
        password_hash,
        first_name,
        last_name,
        phone_number,
        status,
        expires_at: (status == UserStatus::Pending).then(|| now + PENDING_LIFETIME),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    Account { row, roles: vec![Role::Customer] }
}

/// Refuses a password that may not be chosen.
pub(super) fn check_new_password(pointer: &str, password: &str, email: &str) -> Result<(), Fault> {
    let violations = password::violations(pointer, password, email);
    if violations.is_empty() { Ok(()) } else { Err(Fault::invalid(violations)) }
}

/// The request as its idempotency record may know it. A record keeps a fast hash of the request, with which a
/// password could be guessed a billion times a second; so a slow hash stands in for the password.
async fn recorded_without_password(cx: &Cx, turn: &Turn, req: &Register, email: &str) -> Result<Register, Fault> {
    if cx.meta().idempotency_key.is_none() {
        return Ok(req.clone());
    }
    let fingerprint = turn.fingerprint(req.password.expose(), email).await?;
    Ok(Register { password: NewPassword::new(fingerprint), ..req.clone() })
}
