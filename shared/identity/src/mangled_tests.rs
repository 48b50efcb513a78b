//! Tokens and key files, from whatever may come in their place.

use crate::keys::{AUTH, EDGE, KeyEncryptionKey, KeyStore, NatsRegistry, Purpose, Registry, Sealing};
use crate::{AccessTokens, ServiceTokens, TokenError, User, UserTokens, Verifier};
use chrono::Utc;
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt::Debug;
use subjects::Role;
use subjects::ids::{SessionId, UserId};
use testkit::mangled::{check_reading, check_reading_text};

fn check_token<T: PartialEq + Debug>(token: &str, verify: impl Fn(&str) -> Result<T, TokenError>) {
    let read = |text: &str| {
        let known = verify(text).ok()?;
        assert_eq!(text, token, "another token passes for ours");
        Some(known)
    };
    check_reading_text(&[token], read, |_known| token.to_owned());
}

#[test]
fn tokens_are_read_or_refused_and_none_but_ours_passes() {
    let dir = tempfile::tempdir().unwrap();
    KeyStore::create_missing(dir.path(), &["auth", "vendor"]).unwrap();
    let store = KeyStore::open(dir.path()).unwrap();
    let user = User { id: UserId::new(), session: SessionId::new(), roles: vec![Role::Customer] };
    let verifier = Verifier::new(&store.registry(), EDGE);
    let access = AccessTokens::new(store.signing_key(AUTH, Purpose::Access).unwrap()).issue(&user, Utc::now());
    check_token(&access, |text| verifier.verify_access(text));
    let inner = UserTokens::new(store.signing_key(EDGE, Purpose::User).unwrap()).issue(&user, Utc::now());
    check_token(&inner, |text| verifier.verify_user(text));
    let service = ServiceTokens::new(store.signing_key("vendor", Purpose::Service).unwrap()).for_audience(EDGE);
    check_token(&service, |text| verifier.verify_service(text));
}

#[test]
fn registries_are_read_or_refused() {
    let dir = tempfile::tempdir().unwrap();
    KeyStore::create_missing(dir.path(), &["auth", "vendor"]).unwrap();
    let registry = std::fs::read_to_string(dir.path().join("registry.json")).unwrap();
    let read = |text: &str| Registry::from_json(text).ok();
    check_reading_text(&[&registry], read, |registry| serde_json::to_string(registry).unwrap());
    let path = dir.path().join("nats/registry.json");
    let nats = std::fs::read_to_string(&path).unwrap();
    let read = |text: &str| NatsRegistry::from_json(text).ok();
    check_reading_text(&[&nats], read, |registry| serde_json::to_string(registry).unwrap());
}

#[test]
fn sealed_files_open_as_what_they_were_or_not_at_all() {
    let text = KeyEncryptionKey::generate();
    let read_key = |text: &str| KeyEncryptionKey::parse(&SecretString::from(text)).map(|key| key.id().to_owned());
    // Several texts may name one key, by bits of base64 that mean nothing; none is taken for another key.
    check_reading_text(
        &[text.expose_secret()],
        |text| read_key(text).map(|_id| ()),
        |()| text.expose_secret().to_owned(),
    );

    let dir = tempfile::tempdir().unwrap();
    let sealing = Sealing::new(KeyEncryptionKey::parse(&text).unwrap(), None);
    KeyStore::create_sealed(dir.path(), sealing.clone(), &["auth"]).unwrap();
    let store = KeyStore::open_sealed(dir.path(), sealing).unwrap();
    let path = dir.path().join("postgres/auth.password");
    let sealed = std::fs::read(&path).unwrap();
    let password = store.postgres_password("auth").unwrap().expose_secret().to_owned();
    let open = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let opened = store.postgres_password("auth").ok()?.expose_secret().to_owned();
        assert_eq!(opened, password, "another text opens");
        Some(opened)
    };
    let sample = sealed.clone();
    check_reading(&[sample], open, |_password| sealed.clone());
}
