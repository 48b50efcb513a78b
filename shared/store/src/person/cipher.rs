//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) with random nonces, which its 192 bits allow without counting.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

/// How long a key is, in bytes.
pub(super) const KEY: usize = 32;
const NONCE: usize = 24;

/// The text could not be encrypted, which the cipher does only for more than 256 GB.
#[derive(Debug, thiserror::Error)]
#[error("a text could not be encrypted")]
pub(super) struct TooLong;

/// A random nonce, and the text encrypted and authenticated together with `context`.
pub(super) fn encrypt(key: &[u8; KEY], context: &[u8], text: &[u8]) -> Result<Vec<u8>, TooLong> {
    let nonce: [u8; NONCE] = rand::random();
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    let encrypted =
        cipher.encrypt(&XNonce::from(nonce), Payload { msg: text, aad: context }).map_err(|_opaque| TooLong)?;
    let mut sealed = nonce.to_vec();
    sealed.extend(encrypted);
    Ok(sealed)
}

/// The text of what [`encrypt`] made with the same key and context; none for anything else.
pub(super) fn decrypt(key: &[u8; KEY], context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, encrypted) = sealed.split_first_chunk::<NONCE>()?;
    let cipher = XChaCha20Poly1305::new(&Key::from(*key));
    cipher.decrypt(&XNonce::from(*nonce), Payload { msg: encrypted, aad: context }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_context_open_what_was_sealed() {
        let key: [u8; KEY] = rand::random();
        let sealed = encrypt(&key, b"here", b"text").unwrap();
        assert_eq!(decrypt(&key, b"here", &sealed).unwrap(), b"text");
        assert_eq!(decrypt(&key, b"there", &sealed), None);
        assert_eq!(decrypt(&rand::random(), b"here", &sealed), None);
        assert_ne!(encrypt(&key, b"here", b"text").unwrap(), sealed, "a nonce was used twice");
        for place in 0..sealed.len() {
            let mut spoilt = sealed.clone();
            spoilt[place] ^= 1;
            assert_eq!(decrypt(&key, b"here", &spoilt), None);
            assert_eq!(decrypt(&key, b"here", &sealed[..place]), None);
        }
    }
}
