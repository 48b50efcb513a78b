//! Codes by which a pet is shared.

use sha2::{Digest as _, Sha256};

/// Crockford's base32: no letter that is taken for another.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// How many letters a code has: 125 bits, which nobody guesses.
const LETTERS: usize = 25;
/// How many letters stand together.
const GROUP: usize = 5;

/// A new code, in groups as people read it: `7Q4M2-XKD9A-…`.
pub fn new() -> String {
    let random: [u8; LETTERS] = rand::random();
    let mut code = String::with_capacity(LETTERS + LETTERS / GROUP);
    for (place, byte) in random.into_iter().enumerate() {
        if place > 0 && place % GROUP == 0 {
            code.push('-');
        }
        // The low five bits of a random byte: every letter is as likely as any other.
        let letter = ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or(b'0');
        code.push(char::from(letter));
    }
    code
}

/// What is stored of a code, however a person has typed it. A fast hash is enough for 125 random bits.
pub fn hash(code: &str) -> Vec<u8> {
    let typed = code.chars().filter(|letter| !matches!(letter, '-' | ' '));
    let letters: String = typed.map(|letter| meant_by(letter.to_ascii_uppercase())).collect();
    Sha256::digest(letters.as_bytes()).to_vec()
}

/// The letter that was meant where one was typed that looks like it.
fn meant_by(letter: char) -> char {
    match letter {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        let code = new();
        assert_eq!(code.len(), 29);
        assert_eq!(hash(&code), hash(&code.to_lowercase()));
        assert_eq!(hash(&code), hash(&code.replace('-', "")));
        assert_eq!(hash(&code), hash(&code.replace('-', " ").replace('0', "o").replace('1', "l")));
        assert_ne!(hash(&code), hash(&new()));
    }
}
