//! A new key in place of an old one, without anybody being refused meanwhile.
//!
//! Everything that will happen is written down at once: the new key is known from now on and used from a time that lies
//! ahead, the old one is accepted until a later time. Whoever reads the registries acts on these times by themselves, so a
//! rotation needs one command, and that may be given again at any time.

use super::certificates::{self, Issuance};
use super::folder::Folder;
use super::live::{read_nats_registry, read_registry, write_json};
use super::{
    KeyError, KeyState, NEIGHBOUR, NatsKey, NatsRegistry, NatsSeed, PublicKey, Purpose, Registry, RotationTimes,
    SigningKey, files,
};
use chrono::SubsecRound;
use secrecy::ExposeSecret;
use serde::Serialize;
use std::collections::BTreeSet;
use subjects::time::Instant;

/// What a rotation has come to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Rotation {
    /// Keys that were made now.
    pub begun: Vec<RotatedKey>,
    /// Keys whose rotation was under way already. It ends as it was to, or earlier where the times are shorter now.
    pub under_way: Vec<RotatedKey>,
    /// Certificates that were renewed now.
    pub renewed: Vec<RenewedCertificate>,
    /// Keys that had left before, and are forgotten now: what they were for, by their ids.
    pub forgotten: Vec<String>,
}

/// A key that follows another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RotatedKey {
    /// Whose key it is and what for: `auth.access`, `nats/booking`.
    pub name: String,
    /// Its id: the `kid` of a signing key, a public nkey.
    pub id: String,
    /// From when on it is used.
    pub used_from: Option<Instant>,
    /// Until when the one before it is accepted.
    pub old_until: Option<Instant>,
}

/// A certificate in place of another one of the same authority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RenewedCertificate {
    /// Whose it is: `tls/booking`, `nats-server`.
    pub name: String,
    /// Until when it holds.
    pub ends_at: Instant,
}

/// Begins a rotation of the keys of these owners, where none is under way: of all but neighbours when nobody is named.
/// They are no part of the platform, somebody has to give them their keys.
pub(super) fn rotate(
    folder: &Folder,
    issuance: &Issuance,
    owners: &[&str],
    times: &RotationTimes,
    now: Instant,
) -> Result<Rotation, KeyError> {
    let _lock = files::lock_dir(&folder.dir)?;
    // The files keep whole seconds of the times, and so does the registry that is compared with them.
    let now = now.trunc_subsecs(0);
    let mut rotation = Rotation::default();
    let is_meant = |owner: &str| if owners.is_empty() { owner != NEIGHBOUR } else { owners.contains(&owner) };
    rotate_signing_keys(folder, &is_meant, times, now, &mut rotation)?;
    let identities = rotate_nats_keys(folder, &is_meant, times, now, &mut rotation)?;
    certificates::rotate(folder, issuance, &identities, owners, times, now, &mut rotation)?;
    Ok(rotation)
}

/// Puts keys whose time has come in the place of those before them, and forgets those that have left.
pub(super) fn tidy(folder: &Folder, issuance: &Issuance, now: Instant) -> Result<Vec<String>, KeyError> {
    let _lock = files::lock_dir(&folder.dir)?;
    let mut forgotten = Vec::new();
    if files::registry_path(&folder.dir).exists() {
        tidy_signing_keys(folder, now, &mut forgotten)?;
    }
    if files::nats_registry_path(&folder.dir).exists() {
        tidy_nats_keys(folder, now, &mut forgotten)?;
    }
    if files::authorities_path(&folder.dir).exists() {
        certificates::tidy(folder, issuance, now, &mut forgotten)?;
    }
    Ok(forgotten)
}

fn rotate_signing_keys(
    folder: &Folder,
    is_meant: &impl Fn(&str) -> bool,
    times: &RotationTimes,
    now: Instant,
    rotation: &mut Rotation,
) -> Result<(), KeyError> {
    let mut registry = tidy_signing_keys(folder, now, &mut rotation.forgotten)?;
    for (owner, purpose) in owners_and_purposes(&registry) {
        if !is_meant(&owner) {
            continue;
        }
        if registry.keys_of(&owner, purpose).count() > 1 {
            rotation.under_way.push(bring_forward(&mut registry, &owner, purpose, times, now));
        } else {
            let signs_from = now + times.overlap;
            let leaves_at = signs_from + times.retirement_of(purpose);
            let mut next = next_signing_key(folder, &registry, &owner, purpose)?.public_key().clone();
            next.signs_from = Some(signs_from);
            rotation.begun.push(named(&next, Some(leaves_at)));
            registry.change_of(&owner, purpose, |key| key.leaves_at = Some(leaves_at));
            registry.insert(next);
        }
        write_json(&files::registry_path(&folder.dir), &registry)?;
    }
    Ok(())
}

/// Where a rotation is under way, shorter times than it began with bring its end forward: somebody may know the old key.
/// Keys that were put side by side by hand have no end yet, and get one.
fn bring_forward(
    registry: &mut Registry,
    owner: &str,
    purpose: Purpose,
    times: &RotationTimes,
    now: Instant,
) -> RotatedKey {
    let newest = registry.keys_of(owner, purpose).max_by_key(|key| key.signs_from).cloned();
    let is_newest = |key: &PublicKey| newest.as_ref().is_some_and(|newest| newest.kid == key.kid);
    let signs_from = newest.as_ref().and_then(|key| key.signs_from).map(|from| from.min(now + times.overlap));
    let leaves_at = signs_from.map_or(now, |from| from.max(now)) + times.retirement_of(purpose);
    registry.change_of(owner, purpose, |key| {
        if is_newest(key) {
            key.signs_from = signs_from;
        } else {
            key.leaves_at = Some(key.leaves_at.map_or(leaves_at, |before| before.min(leaves_at)));
        }
    });
    let old_until = registry.keys_of(owner, purpose).filter_map(|key| key.leaves_at).max();
    let id = newest.map(|key| key.kid).unwrap_or_default();
    RotatedKey { name: name_of(owner, purpose), id, used_from: signs_from, old_until }
}

fn named(key: &PublicKey, old_until: Option<Instant>) -> RotatedKey {
    let name = name_of(&key.owner, key.purpose);
    RotatedKey { name, id: key.kid.clone(), used_from: key.signs_from, old_until }
}

fn name_of(owner: &str, purpose: Purpose) -> String {
    format!("{owner}.{}", purpose.as_str())
}

fn owners_and_purposes(registry: &Registry) -> BTreeSet<(String, Purpose)> {
    registry.keys().iter().map(|key| (key.owner.clone(), key.purpose)).collect()
}

/// The private key that waits for its turn: the one that an interrupted rotation has left, or a new one.
fn next_signing_key(
    folder: &Folder,
    registry: &Registry,
    owner: &str,
    purpose: Purpose,
) -> Result<SigningKey, KeyError> {
    let path = files::next_signing_key_path(&folder.dir, owner, purpose)?;
    if let Some(pem) = folder.read_secret_if_there(&path)? {
        let left = SigningKey::from_pkcs8_pem(owner, purpose, pem.expose_secret())
            .map_err(|reason| KeyError::invalid(&path, reason))?;
        if registry.find(left.kid()).is_none() {
            return Ok(left);
        }
    }
    let key = SigningKey::generate(owner, purpose);
    let pem = key.to_pkcs8_pem().map_err(|reason| KeyError::invalid(&path, reason))?;
    folder.write_secret(&path, &pem)?;
    Ok(key)
}

/// The registry without those that have left.
fn tidy_signing_keys(folder: &Folder, now: Instant, forgotten: &mut Vec<String>) -> Result<Registry, KeyError> {
    let mut registry = read_registry(&folder.dir)?;
    for (owner, purpose) in owners_and_purposes(&registry) {
        let waiting = files::next_signing_key_path(&folder.dir, &owner, purpose)?;
        let Some(pem) = folder.read_secret_if_there(&waiting)? else { continue };
        let key = SigningKey::from_pkcs8_pem(&owner, purpose, pem.expose_secret())
            .map_err(|reason| KeyError::invalid(&waiting, reason))?;
        if registry.active(&owner, purpose, now).is_some_and(|active| active.kid == key.kid()) {
            folder.write_secret(&files::signing_key_path(&folder.dir, &owner, purpose)?, &pem)?;
            files::remove(&waiting)?;
        }
    }
    let gone: Vec<PublicKey> =
        registry.keys().iter().filter(|key| registry.state(key, now) == KeyState::Gone).cloned().collect();
    if !gone.is_empty() {
        registry.retain(|key| !gone.contains(key));
        write_json(&files::registry_path(&folder.dir), &registry)?;
        forgotten.extend(gone.iter().map(|key| format!("{}.{} {}", key.owner, key.purpose.as_str(), key.kid)));
    }
    Ok(registry)
}

/// Answers all identities, whether their keys were meant or not.
fn rotate_nats_keys(
    folder: &Folder,
    is_meant: &impl Fn(&str) -> bool,
    times: &RotationTimes,
    now: Instant,
    rotation: &mut Rotation,
) -> Result<Vec<String>, KeyError> {
    let mut registry = tidy_nats_keys(folder, now, &mut rotation.forgotten)?;
    let identities: Vec<String> = registry.identities().map(str::to_owned).collect();
    for identity in identities.iter().filter(|identity| is_meant(identity)) {
        let name = format!("nats/{identity}");
        let mut keys = registry.keys_of(identity);
        if keys.len() > 1 {
            rotation.under_way.push(bring_nats_key_forward(&mut keys, name, times, now));
            registry.set(identity, keys);
            write_json(&files::nats_registry_path(&folder.dir), &registry)?;
            continue;
        }
        let connects_from = now + times.overlap;
        let leaves_at = connects_from + times.retirement_of_nats_keys();
        for key in &mut keys {
            key.leaves_at = Some(leaves_at);
        }
        let next = next_nats_seed(folder, &keys, identity)?;
        let (used_from, old_until) = (Some(connects_from), Some(leaves_at));
        keys.push(NatsKey { key: next.key.clone(), connects_from: used_from, leaves_at: None });
        registry.set(identity, keys);
        write_json(&files::nats_registry_path(&folder.dir), &registry)?;
        rotation.begun.push(RotatedKey { name, id: next.key, used_from, old_until });
    }
    Ok(identities)
}

/// As [`bring_forward`] does it for signing keys.
fn bring_nats_key_forward(keys: &mut [NatsKey], name: String, times: &RotationTimes, now: Instant) -> RotatedKey {
    let newest = keys.iter().max_by_key(|key| key.connects_from).cloned();
    let (id, used_from) = newest.map(|key| (key.key, key.connects_from)).unwrap_or_default();
    let used_from = used_from.map(|from| from.min(now + times.overlap));
    let leaves_at = used_from.map_or(now, |from| from.max(now)) + times.retirement_of_nats_keys();
    for key in keys.iter_mut() {
        if key.key == id {
            key.connects_from = used_from;
        } else {
            key.leaves_at = Some(key.leaves_at.map_or(leaves_at, |before| before.min(leaves_at)));
        }
    }
    RotatedKey { name, id, used_from, old_until: keys.iter().filter_map(|key| key.leaves_at).max() }
}

fn next_nats_seed(folder: &Folder, known: &[NatsKey], identity: &str) -> Result<NatsSeed, KeyError> {
    let path = files::next_nats_seed_path(&folder.dir, identity)?;
    if let Some(seed) = folder.read_secret_if_there(&path)? {
        let left = NatsSeed::of(&path, seed)?;
        if known.iter().all(|key| key.key != left.key) {
            return Ok(left);
        }
    }
    let seed = NatsSeed::generate(&path)?;
    folder.write_secret(&path, &seed.seed)?;
    Ok(seed)
}

fn tidy_nats_keys(folder: &Folder, now: Instant, forgotten: &mut Vec<String>) -> Result<NatsRegistry, KeyError> {
    let before = read_nats_registry(&folder.dir)?;
    let mut registry = before.clone();
    for identity in before.identities() {
        let waiting = files::next_nats_seed_path(&folder.dir, identity)?;
        if let Some(seed) = folder.read_secret_if_there(&waiting)? {
            let seed = NatsSeed::of(&waiting, seed)?;
            // The old seed is kept as long as NATS knows it: it may not have been told of the new one yet.
            let keys = before.keys_of(identity);
            let old_have_left =
                keys.iter().all(|key| key.key == seed.key || before.state(identity, key, now) == KeyState::Gone);
            if old_have_left && keys.iter().any(|key| key.key == seed.key) {
                folder.write_secret(&files::nats_seed_path(&folder.dir, identity)?, &seed.seed)?;
                files::remove(&waiting)?;
            }
        }
        let (gone, kept): (Vec<NatsKey>, Vec<NatsKey>) =
            before.keys_of(identity).into_iter().partition(|key| before.state(identity, key, now) == KeyState::Gone);
        if !gone.is_empty() {
            forgotten.extend(gone.into_iter().map(|key| format!("nats/{identity} {}", key.key)));
            registry.set(identity, kept);
        }
    }
    if registry != before {
        write_json(&files::nats_registry_path(&folder.dir), &registry)?;
    }
    Ok(registry)
}
