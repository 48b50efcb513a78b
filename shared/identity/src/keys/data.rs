//! Keys for data at rest.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretBox, SecretString};

/// How long a data key is, in bytes.
const LENGTH: usize = 32;

/// A symmetric key of 256 bits, wiped from memory when it goes and never printed.
pub struct DataKey(SecretBox<[u8; LENGTH]>);

impl DataKey {
    /// The key itself.
    pub fn expose(&self) -> &[u8; LENGTH] {
        self.0.expose_secret()
    }

    /// A new key as its file keeps it.
    pub(super) fn generate() -> SecretString {
        SecretString::from(URL_SAFE_NO_PAD.encode(rand::random::<[u8; LENGTH]>()))
    }

    pub(super) fn parse(text: &SecretString) -> Option<DataKey> {
        let mut key = Box::new([0; LENGTH]);
        let length = URL_SAFE_NO_PAD.decode_slice(text.expose_secret(), key.as_mut_slice()).ok()?;
        (length == LENGTH).then(|| DataKey(SecretBox::new(key)))
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataKey")
    }
}
