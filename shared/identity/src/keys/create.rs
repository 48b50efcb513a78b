//! Making what is missing.

use super::certificates::{self, Issuance};
use super::files;
use super::folder::Folder;
use super::live::{parse_nats_registry, parse_registry, write_json};
use super::{
    AUTH, DataKey, EDGE, KeyError, NEIGHBOUR, NatsKey, NatsSeed, OPERATOR, POSTGRES_ADMIN, PROVISION, Purpose,
    Registry, SigningKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What was made: files relative to the folder, never their content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeysMade {
    /// The secret files that were not there before.
    pub secrets: Vec<PathBuf>,
    /// The public registries that were written.
    pub registries: Vec<PathBuf>,
}

impl KeysMade {
    /// Whether everything was there already.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty() && self.registries.is_empty()
    }

    pub(super) fn secret(&mut self, dir: &Path, path: &Path) {
        self.secrets.push(path.strip_prefix(dir).unwrap_or(path).to_path_buf());
    }

    pub(super) fn registry(&mut self, dir: &Path, path: &Path) {
        self.registries.push(path.strip_prefix(dir).unwrap_or(path).to_path_buf());
    }
}

pub(super) fn create_missing(folder: &Folder, issuance: &Issuance, services: &[&str]) -> Result<KeysMade, KeyError> {
    let dir = &folder.dir;
    for private_dir in [
        dir.clone(),
        dir.join("nats"),
        dir.join("tls"),
        files::nats_server_dir(dir),
        dir.join("postgres"),
        dir.join("data"),
    ] {
        files::create_private_dir(&private_dir)?;
    }
    let _lock = files::lock_dir(dir)?;
    // The edge has no schema of its own, so it gets no database password.
    let with_schema: BTreeSet<&str> = services.iter().copied().filter(|service| *service != EDGE).collect();
    let mut made = KeysMade::default();
    create_signing_keys(folder, &with_schema, &mut made)?;
    create_nats_keys(folder, &with_schema, &mut made)?;
    let identities = nats_identities(&with_schema).collect();
    certificates::create_missing(folder, issuance, &identities, Utc::now(), &mut made)?;
    for role in with_schema.iter().copied().chain([POSTGRES_ADMIN]) {
        create_password(folder, role, &mut made)?;
    }
    for service in with_schema {
        create_data_key(folder, service, &mut made)?;
    }
    Ok(made)
}

fn create_signing_keys(folder: &Folder, services: &BTreeSet<&str>, made: &mut KeysMade) -> Result<(), KeyError> {
    let registry_path = files::registry_path(&folder.dir);
    let before = files::read_text_if_there(&registry_path)?;
    let mut registry = match &before {
        Some(text) => parse_registry(&registry_path, text)?,
        None => Registry::default(),
    };
    let mut is_changed = before.is_none();
    let fixed = [
        (AUTH, Purpose::Access),
        (EDGE, Purpose::User),
        (OPERATOR, Purpose::User),
        (NEIGHBOUR, Purpose::User),
        (EDGE, Purpose::Service),
    ];
    let wanted = fixed.into_iter().chain(services.iter().map(|service| (*service, Purpose::Service)));
    for (owner, purpose) in wanted {
        let key = read_or_create_signing_key(folder, owner, purpose, made)?;
        is_changed |= registry.insert(key.public_key().clone());
    }
    if is_changed {
        write_json(&registry_path, &registry)?;
        made.registry(&folder.dir, &registry_path);
    }
    Ok(())
}

fn read_or_create_signing_key(
    folder: &Folder,
    owner: &str,
    purpose: Purpose,
    made: &mut KeysMade,
) -> Result<SigningKey, KeyError> {
    let path = files::signing_key_path(&folder.dir, owner, purpose)?;
    if !purpose.may_be_held_by(owner) {
        return Err(KeyError::BadName { name: owner.to_owned() });
    }
    if let Some(pem) = folder.read_secret_if_there(&path)? {
        return SigningKey::from_pkcs8_pem(owner, purpose, pem.expose_secret())
            .map_err(|reason| KeyError::invalid(&path, reason));
    }
    let key = SigningKey::generate(owner, purpose);
    let pem = key.to_pkcs8_pem().map_err(|reason| KeyError::invalid(&path, reason))?;
    folder.write_secret(&path, &pem)?;
    made.secret(&folder.dir, &path);
    Ok(key)
}

/// Everybody who connects to NATS.
fn nats_identities<'a>(services: &BTreeSet<&'a str>) -> impl Iterator<Item = &'a str> {
    services.iter().copied().chain([EDGE, PROVISION, OPERATOR, NEIGHBOUR])
}

fn create_nats_keys(folder: &Folder, services: &BTreeSet<&str>, made: &mut KeysMade) -> Result<(), KeyError> {
    let registry_path = files::nats_registry_path(&folder.dir);
    let before = match files::read_text_if_there(&registry_path)? {
        Some(text) => Some(parse_nats_registry(&registry_path, &text)?),
        None => None,
    };
    let mut registry = before.clone().unwrap_or_default();
    for identity in nats_identities(services) {
        let key = read_or_create_nats_seed(folder, identity, made)?.key;
        if !registry.keys_of(identity).iter().any(|known| known.key == key) {
            registry.set(identity, vec![NatsKey { key, connects_from: None, leaves_at: None }]);
        }
    }
    if before.as_ref() != Some(&registry) {
        write_json(&registry_path, &registry)?;
        made.registry(&folder.dir, &registry_path);
    }
    Ok(())
}

fn read_or_create_nats_seed(folder: &Folder, identity: &str, made: &mut KeysMade) -> Result<NatsSeed, KeyError> {
    let path = files::nats_seed_path(&folder.dir, identity)?;
    if let Some(seed) = folder.read_secret_if_there(&path)? {
        return NatsSeed::of(&path, seed);
    }
    let seed = NatsSeed::generate(&path)?;
    folder.write_secret(&path, &seed.seed)?;
    made.secret(&folder.dir, &path);
    Ok(seed)
}

fn create_password(folder: &Folder, role: &str, made: &mut KeysMade) -> Result<(), KeyError> {
    let path = files::postgres_password_path(&folder.dir, role)?;
    // base64url needs no quoting in a connection URL.
    let password = || SecretString::from(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
    create_secret(folder, &path, password, made)
}

fn create_data_key(folder: &Folder, service: &str, made: &mut KeysMade) -> Result<(), KeyError> {
    let path = files::data_key_path(&folder.dir, service)?;
    create_secret(folder, &path, DataKey::generate, made)
}

fn create_secret(
    folder: &Folder,
    path: &Path,
    generate: impl FnOnce() -> SecretString,
    made: &mut KeysMade,
) -> Result<(), KeyError> {
    if files::read_text_if_there(path)?.is_none() {
        folder.write_secret(path, &generate())?;
        made.secret(&folder.dir, path);
    }
    Ok(())
}
