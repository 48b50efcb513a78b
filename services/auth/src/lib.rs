//! The auth service: accounts, what they may do on the whole platform, and where they are signed in.
//!
//! - `domain` holds the rules: which passwords may be chosen, what showing a refresh token leads to, who reaches
//!   whose account.
//! - Passwords are hashed with argon2id on a bounded number of threads of low priority ([`Passwords`]).
//! - Whoever errs too often waits before the next attempt (`attempts`).
//! - Refresh tokens are kept as hashes only; answers that carry tokens are never stored.
//! - One-time codes are derived, not stored; who is to get one is told by `notification.requested` (`sending`).
//! - Ending a session is an event, `session.revoked`, that every replica of every service hears.

mod account;
mod attempts;
mod domain;
mod entity;
mod handlers;
mod hashing_threads;
mod passwords;
mod repo;
mod revocation;
mod seeding;
mod sending;
mod settings;
mod sweeps;

pub use passwords::{Passwords, Turn};
pub use seeding::{SeedUser, ensure_user};
pub use settings::AuthSettings;

use anyhow::Context as _;
use domain::keyed_hash::KeyedHash;
use handlers::{
    codes, login, passwords as password_changes, privacy, refresh, registration, roles, sessions, tokens, users,
};
use identity::{AccessTokens, KeyStore, Purpose, Verifier};
use platform::nats::NatsConfig;
use platform::{App, Service, Setup};
use std::sync::Arc;
use store::{EventLog as _, HasStore, PostgresConfig, Store};
use tokio::sync::Notify;

/// What the handlers share.
pub struct AuthApp {
    pub(crate) store: Store,
    pub(crate) settings: AuthSettings,
    pub(crate) passwords: Passwords,
    pub(crate) access_tokens: AccessTokens,
    pub(crate) verifier: Arc<Verifier>,
    pub(crate) keys: Arc<KeyStore>,
    pub(crate) keyed_hash: KeyedHash,
    /// Told when a code was asked for.
    pub(crate) code_requested: Notify,
}

impl AuthApp {
    /// How passwords are hashed here.
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }
}

impl App for AuthApp {
    const NAME: &'static str = "auth";
}

impl HasStore for AuthApp {
    fn store(&self) -> &Store {
        &self.store
    }
}

platform::calls!(AuthApp => []);

/// What the service answers and does.
pub fn service() -> Service<AuthApp> {
    Service::new()
        .on(registration::register)
        .on(registration::create_user)
        .on(registration::activate_user)
        .on(login::login)
        .on(refresh::refresh)
        .on(sessions::logout)
        .on(sessions::me)
        .on(sessions::find_all)
        .on(sessions::revoke)
        .on(tokens::validate)
        .on(tokens::jwks)
        .on(password_changes::change_password)
        .on(codes::request)
        .on(codes::verify)
        .on(codes::reset_password)
        .on(codes::to_send)
        .on(users::find_one)
        .on(users::find_all)
        .on(users::update)
        .on(roles::find_all)
        .on(roles::assign)
        .on(privacy::export)
        .on(privacy::erase)
        .event_log()
        .background("expire", sweeps::expire)
        .background("codes", sending::run)
}

/// Connects what the handlers need.
///
/// # Errors
/// A setting that does not hold, a missing key, or a database that cannot be reached.
pub async fn app(setup: &Setup) -> anyhow::Result<AuthApp> {
    let settings: AuthSettings = setup.settings.section("auth")?;
    if settings.show_codes_in_log {
        let (nats, postgres): (NatsConfig, PostgresConfig) =
            (setup.settings.section("nats")?, setup.settings.section("postgres")?);
        settings::check_is_local(&nats.url, &postgres.url)?;
    }
    let passwords = Passwords::new(settings.password_workers)?;
    let signer = setup.keys.signer(AuthApp::NAME, Purpose::Access)?;
    let data_key = setup.keys.data_key(AuthApp::NAME).context("the key of keyed hashes")?;
    let store = Store::open(setup).await?;
    Ok(AuthApp {
        store,
        settings,
        passwords,
        access_tokens: AccessTokens::new(signer),
        verifier: setup.verifier.clone(),
        keys: setup.keys.clone(),
        keyed_hash: KeyedHash::new(data_key.expose()),
        code_requested: Notify::new(),
    })
}
