//! One-time codes.
//!
//! A code is derived from the service's key, the code's id and a random nonce, which stand in its row: it need not be
//! stored, not even as a hash, which for six digits would be tried out in no time. Whoever has the database alone learns no
//! code.

use super::keyed_hash::KeyedHash;
use chrono::TimeDelta;
use subjects::Fault;
use subjects::auth::Code;
use subjects::ids::CodeId;

/// For how long a code can be shown.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// How often one may be shown, the right one included.
pub const MAX_TRIES: i32 = 5;
/// For how long a token for another password holds, once the code was shown.
pub const RESET_LIFETIME: TimeDelta = TimeDelta::minutes(10);

const CODES: u64 = 1_000_000;

/// 256 random bits.
pub fn random_nonce() -> [u8; 32] {
    rand::random()
}

/// The code of a row.
///
/// # Errors
/// Those of [`KeyedHash::of`].
pub fn code(keyed_hash: &KeyedHash, id: CodeId, nonce: &[u8]) -> Result<Code, Fault> {
    let hash = keyed_hash.of("one-time code", &[id.0.as_bytes(), nonce].concat())?;
    // Of 64 bits none of the codes is likelier than another by more than one in 10^13.
    let number = hash.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    Ok(Code::new(format!("{:06}", number % CODES)))
}

/// Whether a code that was shown is the right one. How long it takes tells nothing of how much of it is.
///
/// # Errors
/// Likewise.
pub fn is_right(keyed_hash: &KeyedHash, shown: &Code, right: &Code) -> Result<bool, Fault> {
    let hash = |code: &Code| keyed_hash.of("comparison", code.expose().as_bytes());
    Ok(hash(shown)? == hash(right)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_code_follows_from_key_id_and_nonce_together() {
        let hashes = KeyedHash::new(&[1; 32]);
        let (id, nonce) = (CodeId::new(), random_nonce());
        let right = code(&hashes, id, &nonce).unwrap();
        assert_eq!(code(&hashes, id, &nonce).unwrap(), right);
        assert!(right.expose().len() == 6 && right.expose().bytes().all(|byte| byte.is_ascii_digit()));
        // One in a million is the same by chance, never three.
        let others = [
            code(&KeyedHash::new(&[2; 32]), id, &nonce).unwrap(),
            code(&hashes, CodeId::new(), &nonce).unwrap(),
            code(&hashes, id, &random_nonce()).unwrap(),
        ];
        assert!(others.iter().any(|other| *other != right));
        assert!(!format!("{right:?}").contains(right.expose()));
    }

    #[test]
    fn codes_are_spread_and_only_the_right_one_is_right() {
        let hashes = KeyedHash::new(&[1; 32]);
        let codes: Vec<Code> = (0..1_000).map(|_| code(&hashes, CodeId::new(), &random_nonce()).unwrap()).collect();
        let first_digits: BTreeSet<&str> = codes.iter().map(|code| &code.expose()[..1]).collect();
        assert_eq!(first_digits.len(), 10);
        assert!(is_right(&hashes, &codes[0], &codes[0].clone()).unwrap());
        assert!(!is_right(&hashes, &Code::new("12345"), &Code::new("123456")).unwrap());
    }
}
