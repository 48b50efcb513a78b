//! The folder of keys, with what it takes to read and to write secrets in it.

use super::sealing::{Kept, Sealing, kept_as};
use super::{KeyError, files};
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};

/// The password that Postgres itself reads when its data folder is made; it cannot open a sealed one.
const READ_BY_OTHERS: &str = "postgres/admin.password";

/// A folder and how secrets are kept in it.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    pub(super) dir: PathBuf,
    pub(super) sealing: Sealing,
}

impl Folder {
    /// The secret of a file that must be there.
    pub(super) fn read_secret(&self, path: &Path) -> Result<SecretString, KeyError> {
        let text = files::read_secret(path)?;
        let name = self.name_of(path);
        if name == READ_BY_OTHERS {
            return Ok(text);
        }
        let opened = self.sealing.open(path, &name, &text)?;
        let trimmed = opened.expose_secret().trim();
        if trimmed.is_empty() {
            return Err(KeyError::invalid(path, "it is empty"));
        }
        Ok(SecretString::from(trimmed))
    }

    /// The secret of a file that may be missing.
    pub(super) fn read_secret_if_there(&self, path: &Path) -> Result<Option<SecretString>, KeyError> {
        match self.read_secret(path) {
            Ok(secret) => Ok(Some(secret)),
            Err(KeyError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps a secret in a file, in place of what was there.
    pub(super) fn write_secret(&self, path: &Path, secret: &SecretString) -> Result<(), KeyError> {
        let name = self.name_of(path);
        if name == READ_BY_OTHERS {
            return files::write_private(path, secret.expose_secret());
        }
        files::write_private(path, &self.sealing.seal(path, &name, secret)?)
    }

    /// Seals every secret under the current key that is not yet, and answers which those were. Plain files are read
    /// whatever else is said: this is how they come to be sealed.
    pub(super) fn seal_all(&self) -> Result<Vec<PathBuf>, KeyError> {
        let Some(current) = self.sealing.current_id() else { return Err(KeyError::NoEncryptionKey) };
        let wanted = Kept::Sealed(current.to_owned());
        let reading = Folder { dir: self.dir.clone(), sealing: self.sealing.clone().allowing_plain() };
        let mut sealed = Vec::new();
        for (path, kept) in self.secrets()? {
            if kept != wanted {
                self.write_secret(&path, &reading.read_secret(&path)?)?;
                sealed.push(PathBuf::from(self.name_of(&path)));
            }
        }
        Ok(sealed)
    }

    /// Every file with a secret of ours, and how it lies there.
    pub(super) fn secrets(&self) -> Result<Vec<(PathBuf, Kept)>, KeyError> {
        let mut secrets = Vec::new();
        for (dir, ending) in
            [("", "pem"), ("nats", "nk"), ("tls", "pem"), ("tls", "key"), ("postgres", "password"), ("data", "key")]
        {
            let dir = if dir.is_empty() { self.dir.clone() } else { self.dir.join(dir) };
            for path in files::files_ending(&dir, ending)? {
                if self.name_of(&path) != READ_BY_OTHERS {
                    let kept = kept_as(&files::read_text(&path)?);
                    secrets.push((path, kept));
                }
            }
        }
        secrets.sort();
        Ok(secrets)
    }

    /// The name of a file within the folder, which is sealed together with its content.
    pub(super) fn name_of(&self, path: &Path) -> String {
        path.strip_prefix(&self.dir).unwrap_or(path).to_string_lossy().into_owned()
    }
}
