//! The short name of a booking for people: eight characters of Crockford's base32, 40 random bits.

use uuid::Uuid;

/// Crockford's alphabet: no I, L, O or U, so that nothing is misread and no words are formed.
const ALPHABET: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'M', 'N', 'P',
    'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];

/// How many characters a reference has.
pub const LENGTH: u32 = 8;

/// A random reference. Whether it is free the database decides.
pub fn random() -> String {
    // The low 62 bits of a UUID of version 4 are random.
    from_bits(Uuid::new_v4().as_u128())
}

/// The low 40 bits as a reference.
fn from_bits(bits: u128) -> String {
    (0..LENGTH)
        .rev()
        .filter_map(|position| {
            let five_bits = usize::try_from((bits >> (position * 5)) & 31).ok()?;
            ALPHABET.get(five_bits).copied()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_written_five_at_a_time() {
        assert_eq!(from_bits(0), "00000000");
        assert_eq!(from_bits(u128::MAX), "ZZZZZZZZ");
        assert_eq!(from_bits(33), "00000011");
        assert_eq!(from_bits(31 << 35), "Z0000000");
    }

    #[test]
    fn references_differ_and_have_no_doubtful_letters() {
        let many: std::collections::BTreeSet<String> = (0..1000).map(|_| random()).collect();
        assert_eq!(many.len(), 1000);
        assert!(many.iter().all(|reference| reference.len() == 8 && !reference.contains(['I', 'L', 'O', 'U'])));
    }
}
