//! E-mail addresses.

use sha2::{Digest, Sha256};

/// The one form in which an address is stored and looked up: without space around it and in lower case. By the
/// letter of RFC 5321 the part before the @ may tell case apart; no provider that people use does.
pub fn normalised(email: &str) -> String {
    email.trim().to_lowercase()
}

/// The SHA-256 of a normalised address, under which attempts to sign in and idempotency keys of registrations
/// are recorded.
pub fn hash(normalised_email: &str) -> Vec<u8> {
    Sha256::digest(normalised_email.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_space_make_no_difference() {
        assert_eq!(normalised(" Sari@Example.COM "), "sari@example.com");
        assert_eq!(normalised(&normalised("ÄRZTIN@example.com")), normalised("ärztin@EXAMPLE.com"));
        assert_eq!(hash("a@example.com").len(), 32);
    }
}
