//! What can be wrong with key files. Every message says what to do.

use std::path::{Path, PathBuf};

/// Why a key could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file is not there.
    #[error("there is no {}: run `petpro keys` to make it", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("cannot use {}: check its owner and permissions, then run `petpro keys` again", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file holds something else than it should.
    #[error("{} is not valid ({reason}): move it away and run `petpro keys` to make it anew", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, without any of its content.
        reason: String,
    },
    /// A private key has no entry in the registry, so nobody would accept what it signs.
    #[error("the public key of {} is not in registry.json: run `petpro keys` to add it", path.display())]
    NotInRegistry {
        /// The private key's file.
        path: PathBuf,
    },
    /// A secret is kept as it is, where only sealed ones are read.
    #[error(
        "{} is not sealed: run `petpro keys seal`, or set PETPRO_KEYS__ALLOW_PLAIN=true where secrets need no sealing",
        path.display()
    )]
    NotSealed {
        /// The file.
        path: PathBuf,
    },
    /// A secret is sealed under a key-encryption key that was not given.
    #[error(
        "{} is sealed under the key-encryption key {id}, and given is {given}: set PETPRO_KEYS__ENCRYPTION_KEY_FILE to \
         the file of {id}; if another one is to take its place, name {id} as PETPRO_KEYS__PREVIOUS_ENCRYPTION_KEY_FILE \
         and run `petpro keys seal`",
        path.display()
    )]
    OtherEncryptionKey {
        /// The file.
        path: PathBuf,
        /// The key that it is sealed under.
        id: String,
        /// Those that were given.
        given: String,
    },
    /// Secrets have to be sealed, and there is no key for it.
    #[error(
        "there is no key-encryption key to seal secrets under: make one where only you can read it (`petpro keys \
         new-encryption-key > file`) and set PETPRO_KEYS__ENCRYPTION_KEY_FILE to it, or PETPRO_KEYS__ALLOW_PLAIN=true \
         where secrets need no sealing"
    )]
    NoEncryptionKey,
    /// What was given as a key-encryption key is none.
    #[error(
        "PETPRO_KEYS__{variable} (or its file) is not 32 bytes in base64url: `petpro keys new-encryption-key` makes such a \
         key"
    )]
    BadEncryptionKey {
        /// The name of the setting.
        variable: &'static str,
    },
    /// The file of a key-encryption key cannot be read.
    #[error("PETPRO_KEYS__{variable}_FILE: cannot read {}: {source}", path.display())]
    EncryptionKeyFile {
        /// The name of the setting.
        variable: &'static str,
        /// The file that it names.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A name that cannot be part of a file name.
    #[error("`{name}` cannot name keys for `petpro keys`: use 1 to 63 of a-z, 0-9, `-` and `_`, a letter first")]
    BadName {
        /// The name.
        name: String,
    },
}

impl KeyError {
    pub(super) fn invalid(path: &Path, reason: impl Into<String>) -> KeyError {
        KeyError::Invalid { path: path.to_path_buf(), reason: reason.into() }
    }

    pub(super) fn io(path: &Path, source: std::io::Error) -> KeyError {
        KeyError::Io { path: path.to_path_buf(), source }
    }
}
