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
