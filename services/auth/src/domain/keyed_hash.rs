//! Hashes that nobody computes without the service's data key: whoever has the database alone cannot try out which
//! e-mail address or which address of a client stands behind one.

use hkdf::Hkdf;
use sha2::Sha256;
use subjects::Fault;

const DERIVATION: &[u8] = b"petpro auth keyed hash v1";

/// Makes keyed hashes. HKDF's expansion is HMAC over the key and what it is asked for.
#[derive(Clone)]
pub struct KeyedHash {
    derived: Hkdf<Sha256>,
}

impl KeyedHash {
    /// Under a key that is derived from this one.
    pub fn new(key: &[u8; 32]) -> KeyedHash {
        KeyedHash { derived: Hkdf::new(Some(DERIVATION), key) }
    }

    /// The hash of something, for one purpose: for another it is another. A purpose holds no zero byte.
    ///
    /// # Errors
    /// None that is known: the length that is asked for is one that there is.
    pub fn of(&self, purpose: &str, what: &[u8]) -> Result<[u8; 32], Fault> {
        let mut hash = [0_u8; 32];
        self.derived
            .expand_multi_info(&[purpose.as_bytes(), b"\0", what], &mut hash)
            .map_err(|error| Fault::internal(error.to_string()))?;
        Ok(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_depends_on_key_purpose_and_content() {
        let hashes = KeyedHash::new(&[1; 32]);
        let hash = hashes.of("account", b"sari@example.com").unwrap();
        assert_eq!(KeyedHash::new(&[1; 32]).of("account", b"sari@example.com").unwrap(), hash);
        assert_ne!(KeyedHash::new(&[2; 32]).of("account", b"sari@example.com").unwrap(), hash);
        assert_ne!(hashes.of("address", b"sari@example.com").unwrap(), hash);
        assert_ne!(hashes.of("account", b"dewi@example.com").unwrap(), hash);
        assert_ne!(hashes.of("a", b"bc").unwrap(), hashes.of("ab", b"c").unwrap());
    }
}
