//! Secrets at rest: each file is sealed under one key of the platform, which does not lie beside them.

use super::data::DataKey;
use super::{KeyError, files};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// What a sealed file begins with; the number is the version of its form. The id of the key follows, then the nonce and
/// the ciphertext in base64url.
const PREFIX: &str = "petpro-sealed:1:";
/// The length of the nonce of XChaCha20-Poly1305, in bytes: long enough to be drawn by chance.
const NONCE: usize = 24;
/// How much of a hash names a key.
const ID_BYTES: usize = 6;

/// The key under which the files of a key folder are sealed.
pub struct KeyEncryptionKey {
    key: DataKey,
    id: String,
}

impl KeyEncryptionKey {
    /// A new key, as its file or variable keeps it.
    pub fn generate() -> SecretString {
        DataKey::generate()
    }

    /// Reads what [`KeyEncryptionKey::generate`] has made; none for anything else.
    pub fn parse(text: &SecretString) -> Option<KeyEncryptionKey> {
        let key = DataKey::parse(&SecretString::from(text.expose_secret().trim()))?;
        let hash = Sha256::new().chain_update(b"petpro key-encryption key 1\0").chain_update(key.expose()).finalize();
        let id = hash.iter().take(ID_BYTES).map(|byte| format!("{byte:02x}")).collect();
        Some(KeyEncryptionKey { key, id })
    }

    /// The key in a file, which is made with mode 0600 if it is not there.
    pub fn read_or_create(path: &Path) -> Result<KeyEncryptionKey, KeyError> {
        if files::read_text_if_there(path)?.is_none() {
            files::write_private(path, KeyEncryptionKey::generate().expose_secret())?;
        }
        KeyEncryptionKey::parse(&files::read_secret(path)?)
            .ok_or_else(|| KeyError::invalid(path, "it is not 32 bytes in base64url"))
    }

    /// Tells the key from others, and nothing about it.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn seal(&self, name: &str, secret: &str) -> Option<String> {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload { msg: secret.as_bytes(), aad: &context(name) };
        let encrypted = self.cipher().encrypt(&XNonce::from(nonce), payload).ok()?;
        let body = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &encrypted].concat());
        Some(format!("{PREFIX}{}:{body}\n", self.id))
    }

    fn open(&self, name: &str, body: &str) -> Option<SecretString> {
        let sealed = URL_SAFE_NO_PAD.decode(body).ok()?;
        let (nonce, encrypted) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: encrypted, aad: &context(name) };
        let opened = SecretSlice::from(self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()?);
        std::str::from_utf8(opened.expose_secret()).ok().map(SecretString::from)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.key.expose()))
    }
}

/// A file that is put in the place of another one does not open.
fn context(name: &str) -> Vec<u8> {
    [b"petpro key file 1\0", name.as_bytes()].concat()
}

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyEncryptionKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// How the secrets of a folder are kept. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sealing {
    keys: Arc<Keys>,
    allows_plain: bool,
}

#[derive(Debug)]
struct Keys {
    current: Option<KeyEncryptionKey>,
    /// Opens what has not been sealed anew yet.
    previous: Option<KeyEncryptionKey>,
}

/// How a secret lies in its file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// As it is.
    Plain,
    /// Sealed under the key of this id.
    Sealed(String),
}

impl Sealing {
    /// Sealed under `current`. What lies there under `previous`, where one is given, can be read as well.
    pub fn new(current: KeyEncryptionKey, previous: Option<KeyEncryptionKey>) -> Sealing {
        Sealing { keys: Arc::new(Keys { current: Some(current), previous }), allows_plain: false }
    }

    /// There is no key: nothing can be read or written but what is not sealed, once [`Sealing::allowing_plain`] says so.
    pub fn without_key() -> Sealing {
        Sealing { keys: Arc::new(Keys { current: None, previous: None }), allows_plain: false }
    }

    /// Not sealed at all: for tests, and for what is not worth a key.
    pub fn none() -> Sealing {
        Sealing::without_key().allowing_plain()
    }

    /// The same, and files that are not sealed are read, too. They are written so only where there is no key.
    #[must_use]
    pub fn allowing_plain(self) -> Sealing {
        Sealing { allows_plain: true, ..self }
    }

    /// The id of the key that secrets are sealed under from now on.
    pub fn current_id(&self) -> Option<&str> {
        self.keys.current.as_ref().map(KeyEncryptionKey::id)
    }

    /// The text of the file of that name which keeps this secret.
    pub(super) fn seal(&self, path: &Path, name: &str, secret: &SecretString) -> Result<String, KeyError> {
        match &self.keys.current {
            Some(key) => key
                .seal(name, secret.expose_secret())
                .ok_or_else(|| KeyError::invalid(path, "the secret cannot be sealed")),
            None if self.allows_plain => Ok(secret.expose_secret().to_owned()),
            None => Err(KeyError::NoEncryptionKey),
        }
    }

    /// The secret that the text of a file keeps.
    pub(super) fn open(&self, path: &Path, name: &str, text: &SecretString) -> Result<SecretString, KeyError> {
        let text = text.expose_secret();
        let Some((id, body)) = sealed_parts(text) else {
            return match self.allows_plain {
                true => Ok(SecretString::from(text)),
                false => Err(KeyError::NotSealed { path: path.to_path_buf() }),
            };
        };
        let keys = [&self.keys.current, &self.keys.previous];
        let Some(key) = keys.into_iter().flatten().find(|key| key.id == id) else {
            let given = keys.into_iter().flatten().map(KeyEncryptionKey::id).collect::<Vec<_>>();
            let given = if given.is_empty() { "none".to_owned() } else { given.join(" and ") };
            return Err(KeyError::OtherEncryptionKey { path: path.to_path_buf(), id: id.to_owned(), given });
        };
        key.open(name, body)
            .ok_or_else(|| KeyError::invalid(path, "it was changed, or was sealed as another file than this"))
    }
}

/// How a file with this text keeps its secret.
pub(super) fn kept_as(text: &str) -> Kept {
    sealed_parts(text).map_or(Kept::Plain, |(id, _)| Kept::Sealed(id.to_owned()))
}

fn sealed_parts(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix(PREFIX)?.split_once(':')
}
