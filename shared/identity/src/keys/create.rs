//! Making what is missing.

use super::files;
use super::{
    AUTH, DataKey, EDGE, KeyError, NEIGHBOUR, OPERATOR, POSTGRES_ADMIN, PROVISION, Purpose, Registry, SigningKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nkeys::{KeyPair, KeyPairType};
use secrecy::{ExposeSecret, SecretString};
use std::collections::{BTreeMap, BTreeSet};
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

    fn secret(&mut self, dir: &Path, path: &Path) {
        self.secrets.push(path.strip_prefix(dir).unwrap_or(path).to_path_buf());
    }

    fn registry(&mut self, dir: &Path, path: &Path) {
        self.registries.push(path.strip_prefix(dir).unwrap_or(path).to_path_buf());
    }
}

pub(super) fn create_missing(dir: &Path, services: &[&str]) -> Result<KeysMade, KeyError> {
    for private_dir in [dir.to_path_buf(), dir.join("nats"), dir.join("postgres"), dir.join("data")] {
        files::create_private_dir(&private_dir)?;
    }
    let _lock = files::lock_dir(dir)?;
    // The edge has no schema of its own, so it gets no database password.
    let with_schema: BTreeSet<&str> = services.iter().copied().filter(|service| *service != EDGE).collect();
    let mut made = KeysMade::default();
    create_signing_keys(dir, &with_schema, &mut made)?;
    create_nats_keys(dir, &with_schema, &mut made)?;
    for role in with_schema.iter().copied().chain([POSTGRES_ADMIN]) {
        create_password(dir, role, &mut made)?;
    }
    for service in with_schema {
        create_data_key(dir, service, &mut made)?;
    }
    Ok(made)
}

fn create_signing_keys(dir: &Path, services: &BTreeSet<&str>, made: &mut KeysMade) -> Result<(), KeyError> {
    let registry_path = files::registry_path(dir);
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
        let key = read_or_create_signing_key(dir, owner, purpose, made)?;
        is_changed |= registry.insert(key.public_key().clone());
    }
    if is_changed {
        write_json(&registry_path, &registry)?;
        made.registry(dir, &registry_path);
    }
    Ok(())
}

fn read_or_create_signing_key(
    dir: &Path,
    owner: &str,
    purpose: Purpose,
    made: &mut KeysMade,
) -> Result<SigningKey, KeyError> {
    let path = files::signing_key_path(dir, owner, purpose)?;
    if !purpose.may_be_held_by(owner) {
        return Err(KeyError::BadName { name: owner.to_owned() });
    }
    if let Some(text) = files::read_text_if_there(&path)? {
        let pem = SecretString::from(text);
        return SigningKey::from_pkcs8_pem(owner, purpose, pem.expose_secret())
            .map_err(|reason| KeyError::invalid(&path, reason));
    }
    let key = SigningKey::generate(owner, purpose);
    let pem = key.to_pkcs8_pem().map_err(|reason| KeyError::invalid(&path, reason))?;
    files::write_private(&path, pem.expose_secret())?;
    made.secret(dir, &path);
    Ok(key)
}

fn create_nats_keys(dir: &Path, services: &BTreeSet<&str>, made: &mut KeysMade) -> Result<(), KeyError> {
    let registry_path = files::nats_registry_path(dir);
    let before = match files::read_text_if_there(&registry_path)? {
        Some(text) => Some(parse_nats_registry(&registry_path, &text)?),
        None => None,
    };
    let mut registry = before.clone().unwrap_or_default();
    for identity in services.iter().copied().chain([EDGE, PROVISION, OPERATOR, NEIGHBOUR]) {
        let public_key = read_or_create_nats_seed(dir, identity, made)?;
        registry.insert(identity.to_owned(), public_key);
    }
    if before.as_ref() != Some(&registry) {
        write_json(&registry_path, &registry)?;
        made.registry(dir, &registry_path);
    }
    Ok(())
}

/// The public nkey that belongs to the seed.
fn read_or_create_nats_seed(dir: &Path, identity: &str, made: &mut KeysMade) -> Result<String, KeyError> {
    let path = files::nats_seed_path(dir, identity)?;
    if let Some(text) = files::read_text_if_there(&path)? {
        let seed = SecretString::from(text);
        return match KeyPair::from_seed(seed.expose_secret().trim()) {
            Ok(pair) if pair.key_pair_type() == KeyPairType::User => Ok(pair.public_key()),
            _ => Err(KeyError::invalid(&path, "it is not the seed of a user's nkey")),
        };
    }
    let pair = KeyPair::new_user();
    let seed = pair.seed().map_err(|_| KeyError::invalid(&path, "the new seed cannot be encoded"))?;
    files::write_private(&path, SecretString::from(seed).expose_secret())?;
    made.secret(dir, &path);
    Ok(pair.public_key())
}

fn create_password(dir: &Path, role: &str, made: &mut KeysMade) -> Result<(), KeyError> {
    let path = files::postgres_password_path(dir, role)?;
    if files::read_text_if_there(&path)?.is_some() {
        return Ok(());
    }
    // base64url needs no quoting in a connection URL.
    let password = SecretString::from(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
    files::write_private(&path, password.expose_secret())?;
    made.secret(dir, &path);
    Ok(())
}

fn create_data_key(dir: &Path, service: &str, made: &mut KeysMade) -> Result<(), KeyError> {
    let path = files::data_key_path(dir, service)?;
    if files::read_text_if_there(&path)?.is_some() {
        return Ok(());
    }
    files::write_private(&path, DataKey::generate().expose_secret())?;
    made.secret(dir, &path);
    Ok(())
}

pub(super) fn read_registry(dir: &Path) -> Result<Registry, KeyError> {
    let path = files::registry_path(dir);
    parse_registry(&path, &files::read_text(&path)?)
}

pub(super) fn read_nats_registry(dir: &Path) -> Result<BTreeMap<String, String>, KeyError> {
    let path = files::nats_registry_path(dir);
    parse_nats_registry(&path, &files::read_text(&path)?)
}

fn parse_registry(path: &Path, text: &str) -> Result<Registry, KeyError> {
    Registry::from_json(text).map_err(|reason| KeyError::invalid(path, reason))
}

fn parse_nats_registry(path: &Path, text: &str) -> Result<BTreeMap<String, String>, KeyError> {
    let public_keys: BTreeMap<String, String> =
        serde_json::from_str(text).map_err(|error| KeyError::invalid(path, error.to_string()))?;
    for (identity, public_key) in &public_keys {
        let is_user_key =
            KeyPair::from_public_key(public_key).is_ok_and(|pair| pair.key_pair_type() == KeyPairType::User);
        if !is_user_key {
            return Err(KeyError::invalid(path, format!("the key of {identity} is not a user's nkey")));
        }
    }
    Ok(public_keys)
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), KeyError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| KeyError::invalid(path, error.to_string()))?;
    files::write_private(path, &format!("{text}\n"))
}
