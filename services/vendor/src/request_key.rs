//! What a registration is found by when it is asked for again, and what tells that the same is asked for.
//!
//! Nobody is signed in yet, so the idempotency keys of all callers would share one room. The key counts together with
//! the owner's e-mail address: two people who chose the same key do not meet.

use argon2::{Algorithm, Argon2, Params, Version};
use sha2::{Digest, Sha256};
use subjects::Fault;
use subjects::vendor::RegisterVendor;
use tokio::sync::Semaphore;

/// As slow to guess a password from as the account's own hash, or these rows would be the shorter way to it; among the
/// choices of the OWASP password storage cheat sheet for argon2id the one that takes little memory, since anybody may
/// ask for it.
const MEMORY_KIB: u32 = 7 * 1024;
const PASSES: u32 = 5;
const LANES: u32 = 1;

/// How many are made at once: 14 MiB and two cores at the most.
static WORKERS: Semaphore = Semaphore::const_new(2);

/// The hashes of a registration that was sent with an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// SHA-256 of the owner's normalised e-mail address and the idempotency key.
    pub key_hash: Vec<u8>,
    /// argon2id of the whole request, its password too, salted with `key_hash`: the same each time for the same
    /// request.
    pub fingerprint: Vec<u8>,
}

impl RequestKey {
    /// The hashes of a request and the idempotency key that it was sent with. Takes some 20 ms of a core.
    ///
    /// # Errors
    /// The hash function fails.
    pub async fn of(request: &RegisterVendor, idempotency_key: &str) -> Result<RequestKey, Fault> {
        let key_hash = key_hash(&request.owner.email, idempotency_key);
        let whole_request = serde_json::to_vec(request).map_err(Fault::internal)?;
        let permit = WORKERS.acquire().await.map_err(Fault::internal)?;
        // The permit goes along: a caller that gives up does not end the work, and it still counts.
        let worked = tokio::task::spawn_blocking(move || {
            let fingerprint = fingerprint(&whole_request, &key_hash);
            drop(permit);
            fingerprint.map(|fingerprint| RequestKey { key_hash, fingerprint })
        });
        worked.await.map_err(Fault::internal)?
    }
}

fn key_hash(email: &str, idempotency_key: &str) -> Vec<u8> {
    // As auth normalises it. No address holds the zero byte, so that nothing can move from one part to the other.
    let normalised_email = email.trim().to_lowercase();
    Sha256::new().chain_update(normalised_email).chain_update([0]).chain_update(idempotency_key).finalize().to_vec()
}

fn fingerprint(whole_request: &[u8], salt: &[u8]) -> Result<Vec<u8>, Fault> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(Fault::internal)?;
    let argon2id = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut fingerprint = vec![0_u8; 32];
    argon2id.hash_password_into(whole_request, salt, &mut fingerprint).map_err(Fault::internal)?;
    Ok(fingerprint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use subjects::auth::NewPassword;
    use subjects::vendor::{NewOwner, VendorKind};

    fn request(email: &str, password: &str) -> RegisterVendor {
        RegisterVendor {
            owner: NewOwner {
                email: email.to_owned(),
                password: NewPassword::new(password),
                first_name: "Sari".to_owned(),
                last_name: None,
                phone_number: None,
            },
            name: "Klinik Sari".to_owned(),
            kind: VendorKind::Clinic,
            description: None,
            email: None,
            phone: None,
            website: None,
        }
    }

    #[tokio::test]
    async fn the_same_request_under_the_same_key_is_recognised_and_no_other() {
        let of = async |email, password, key| RequestKey::of(&request(email, password), key).await.unwrap();
        let first = of("sari@example.com", "correct horse", "key-1").await;
        assert_eq!(of("sari@example.com", "correct horse", "key-1").await, first);

        let other_password = of("sari@example.com", "battery staple", "key-1").await;
        assert_eq!(other_password.key_hash, first.key_hash);
        assert_ne!(other_password.fingerprint, first.fingerprint);

        let other_person = of("budi@example.com", "correct horse", "key-1").await;
        let other_key = of("sari@example.com", "correct horse", "key-2").await;
        assert!(other_person.key_hash != first.key_hash && other_key.key_hash != first.key_hash);
        // The salt differs with the key, so that equal requests have nothing in common.
        assert_ne!(other_key.fingerprint, first.fingerprint);
    }

    #[test]
    fn an_address_is_the_same_however_it_is_written() {
        assert_eq!(key_hash(" Sari@Example.com", "key-1"), key_hash("sari@example.com", "key-1"));
    }
}
