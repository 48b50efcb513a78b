//! Paths, reading and atomic writing of key files.

use super::{KeyError, Purpose};
use secrecy::{ExposeSecret, SecretString};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

const DIR_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

pub(super) fn registry_path(dir: &Path) -> PathBuf {
    dir.join("registry.json")
}

pub(super) fn nats_registry_path(dir: &Path) -> PathBuf {
    dir.join("nats").join("registry.json")
}

pub(super) fn signing_key_path(dir: &Path, owner: &str, purpose: Purpose) -> Result<PathBuf, KeyError> {
    Ok(dir.join(format!("{}.{}.pem", checked_name(owner)?, purpose.as_str())))
}

/// Where a signing key waits for its turn, while the one before it is in use.
pub(super) fn next_signing_key_path(dir: &Path, owner: &str, purpose: Purpose) -> Result<PathBuf, KeyError> {
    Ok(dir.join(format!("{}.{}.next.pem", checked_name(owner)?, purpose.as_str())))
}

/// Where a seed waits for its turn.
pub(super) fn next_nats_seed_path(dir: &Path, identity: &str) -> Result<PathBuf, KeyError> {
    Ok(dir.join("nats").join(format!("{}.next.nk", checked_name(identity)?)))
}

pub(super) fn nats_seed_path(dir: &Path, identity: &str) -> Result<PathBuf, KeyError> {
    Ok(dir.join("nats").join(format!("{}.nk", checked_name(identity)?)))
}

/// The public registry of the authorities for connections to NATS.
pub(super) fn authorities_path(dir: &Path) -> PathBuf {
    dir.join("tls").join("registry.json")
}

/// An authority's private key and certificate.
pub(super) fn authority_path(dir: &Path, id: &str) -> Result<PathBuf, KeyError> {
    Ok(dir.join("tls").join(format!("authority.{}.key", checked_id(id)?)))
}

/// What an authority has certified for an identity, with its private key.
pub(super) fn certificate_path(dir: &Path, identity: &str, authority: &str) -> Result<PathBuf, KeyError> {
    Ok(dir.join("tls").join(format!("{}.{}.pem", checked_name(identity)?, checked_id(authority)?)))
}

/// What nats-server reads.
pub(super) fn nats_server_dir(dir: &Path) -> PathBuf {
    dir.join("nats-server")
}

pub(super) fn postgres_password_path(dir: &Path, role: &str) -> Result<PathBuf, KeyError> {
    Ok(dir.join("postgres").join(format!("{}.password", checked_name(role)?)))
}

pub(super) fn data_key_path(dir: &Path, service: &str) -> Result<PathBuf, KeyError> {
    Ok(dir.join("data").join(format!("{}.key", checked_name(service)?)))
}

/// Names become parts of paths, so nothing that could lead elsewhere is let through.
fn checked_name(name: &str) -> Result<&str, KeyError> {
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-_".contains(letter);
    let starts_with_letter = name.starts_with(|first: char| first.is_ascii_lowercase());
    if starts_with_letter && name.len() <= 63 && name.chars().all(is_plain) {
        Ok(name)
    } else {
        Err(KeyError::BadName { name: name.to_owned() })
    }
}

fn checked_id(id: &str) -> Result<&str, KeyError> {
    let is_id = (1..=64).contains(&id.len()) && id.chars().all(|letter| letter.is_ascii_hexdigit());
    if is_id { Ok(id) } else { Err(KeyError::BadName { name: id.to_owned() }) }
}

/// The text of a file that must be there.
pub(super) fn read_text(path: &Path) -> Result<String, KeyError> {
    fs::read_to_string(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => KeyError::Missing { path: path.to_path_buf() },
        ErrorKind::InvalidData => KeyError::invalid(path, "it is not text"),
        _ => KeyError::io(path, source),
    })
}

/// The text of a file that may be missing.
pub(super) fn read_text_if_there(path: &Path) -> Result<Option<String>, KeyError> {
    match read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(KeyError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The secret in a file, without the white space around it.
pub(super) fn read_secret(path: &Path) -> Result<SecretString, KeyError> {
    let text = SecretString::from(read_text(path)?);
    let trimmed = text.expose_secret().trim();
    if trimmed.is_empty() {
        return Err(KeyError::invalid(path, "it is empty"));
    }
    Ok(SecretString::from(trimmed))
}

/// The files of a folder whose names end like that; none where there is no such folder.
pub(super) fn files_ending(dir: &Path, ending: &str) -> Result<Vec<PathBuf>, KeyError> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|source| KeyError::io(dir, source))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|source| KeyError::io(dir, source))?.path();
        if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Removes a file; one that is gone already is as good.
pub(super) fn remove(path: &Path) -> Result<(), KeyError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(KeyError::io(path, error)),
        _ => Ok(()),
    }
}

/// Makes a folder that only its owner can enter. One that is there is closed to others only if it is empty or holds
/// keys already: it may be a folder that other things live in, and the files in it are private in any case.
pub(super) fn create_private_dir(dir: &Path) -> Result<(), KeyError> {
    let create = || {
        DirBuilder::new().recursive(true).mode(DIR_MODE).create(dir)?;
        let is_open_to_others = fs::metadata(dir)?.permissions().mode() & 0o077 != 0;
        let is_ours = registry_path(dir).exists() || fs::read_dir(dir)?.next().is_none();
        if is_open_to_others && is_ours {
            fs::set_permissions(dir, fs::Permissions::from_mode(DIR_MODE))?;
        }
        Ok(())
    };
    create().map_err(|source| KeyError::io(dir, source))
}

/// Holds off everybody else who makes keys in this folder until the file is dropped.
pub(super) fn lock_dir(dir: &Path) -> Result<File, KeyError> {
    let path = dir.join(".lock");
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(FILE_MODE)
        .open(&path)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|source| KeyError::io(&path, source))
}

/// Writes a file that only its owner can read, whole or not at all: a crash leaves the old content or the new.
pub(super) fn write_private(path: &Path, text: &str) -> Result<(), KeyError> {
    let mut temporary_name = path.as_os_str().to_owned();
    temporary_name.push(".new");
    let temporary = PathBuf::from(temporary_name);
    let written = write_new(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to tell; what is left over is replaced by the next run.
        drop(fs::remove_file(&temporary));
    }
    written.map_err(|source| KeyError::io(path, source))
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    // A left-over of a crashed run would keep its own mode, and a link would lead elsewhere.
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
