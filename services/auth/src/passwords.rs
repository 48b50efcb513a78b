//! Password hashing, on threads of its own, no more of it at once than the machine has cores, and no longer a queue before
//! it than is worth waiting in.

use crate::hashing_threads::HashingThreads;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use subjects::Fault;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The OWASP password storage cheat sheet's choice for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How many requests wait for a worker at the most.
const MAX_WAITING: usize = 256;
/// How long one waits. What comes after that has to leave its request enough time for the rest; one that waits to its
/// deadline has been waited for in vain, and is asked again.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// When whoever was refused should come again.
const COME_AGAIN_MS: u64 = 2_000;

/// Hashes and checks passwords. Clones share the workers.
#[derive(Clone)]
pub struct Passwords {
    workers: Arc<Semaphore>,
    /// Places in the queue before them.
    queue: Arc<Semaphore>,
    threads: Arc<HashingThreads>,
    hash_of_nobody: Arc<str>,
}

/// A worker's turn: whatever one request needs hashed is hashed in one, so that nobody queues in the middle of its work.
pub struct Turn {
    /// It goes along with each piece of work: a caller that gives up does not end that, and it still counts.
    permit: Arc<OwnedSemaphorePermit>,
    threads: Arc<HashingThreads>,
    hash_of_nobody: Arc<str>,
}

impl Passwords {
    /// `workers` hashes at once; 0 stands for the number of cores.
    ///
    /// # Errors
    /// The hash function refuses its parameters, or there is no room for threads.
    pub fn new(workers: usize) -> Result<Passwords, Fault> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = if workers == 0 { cores } else { workers };
        let unguessable: [u8; 32] = rand::random();
        let hash_of_nobody = hash_now(&unguessable)?.into();
        let queue = Arc::new(Semaphore::new(MAX_WAITING));
        let threads = Arc::new(HashingThreads::new(workers).map_err(Fault::internal)?);
        Ok(Passwords { workers: Arc::new(Semaphore::new(workers)), queue, threads, hash_of_nobody })
    }

    /// Waits for a worker.
    ///
    /// # Errors
    /// `unavailable`: too many wait, or its turn does not come within two seconds.
    pub async fn turn(&self) -> Result<Turn, Fault> {
        let _place = self.queue.try_acquire().map_err(|_full| Fault::unavailable(COME_AGAIN_MS))?;
        let waiting = timeout(MAX_WAIT, self.workers.clone().acquire_owned());
        let permit = waiting.await.map_err(|_elapsed| Fault::unavailable(COME_AGAIN_MS))?;
        let permit = Arc::new(permit.map_err(Fault::internal)?);
        Ok(Turn { permit, threads: self.threads.clone(), hash_of_nobody: self.hash_of_nobody.clone() })
    }

    /// See [`Turn::hash`], in a turn of its own.
    ///
    /// # Errors
    /// Those of [`Passwords::turn`] and [`Turn::hash`].
    pub async fn hash(&self, password: &str) -> Result<String, Fault> {
        self.turn().await?.hash(password).await
    }

    /// See [`Turn::verify`], in a turn of its own.
    ///
    /// # Errors
    /// Those of [`Passwords::turn`] and [`Turn::verify`].
    pub async fn verify(&self, password: &str, stored_hash: Option<&str>) -> Result<bool, Fault> {
        self.turn().await?.verify(password, stored_hash).await
    }
}

impl Turn {
    /// The hash to store, in PHC form with its own random salt.
    ///
    /// # Errors
    /// The hash function fails.
    pub async fn hash(&self, password: &str) -> Result<String, Fault> {
        let password = password.to_owned();
        self.work(move || hash_now(password.as_bytes())).await
    }

    /// Whether the password is the one of the stored hash. Without a stored hash the answer is no, after the same
    /// work, so that the time it takes does not tell whether there is an account.
    ///
    /// # Errors
    /// The stored hash cannot be read.
    pub async fn verify(&self, password: &str, stored_hash: Option<&str>) -> Result<bool, Fault> {
        let exists = stored_hash.is_some();
        let hash = stored_hash.unwrap_or(&self.hash_of_nobody).to_owned();
        let password = password.to_owned();
        let matches = self.work(move || verify_now(password.as_bytes(), &hash)).await?;
        Ok(matches && exists)
    }

    /// A text that is the same each time for the same secret and context, and as slow to guess the secret from as a
    /// stored hash. For comparing, never for signing in: it has no random salt.
    ///
    /// # Errors
    /// The hash function fails.
    pub async fn fingerprint(&self, secret: &str, context: &str) -> Result<String, Fault> {
        let secret = secret.to_owned();
        let salt = Sha256::digest(context.as_bytes());
        self.work(move || {
            let mut fingerprint = [0_u8; 32];
            argon2id()?.hash_password_into(secret.as_bytes(), &salt, &mut fingerprint).map_err(Fault::internal)?;
            Ok(URL_SAFE_NO_PAD.encode(fingerprint))
        })
        .await
    }

    async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let permit = self.permit.clone();
        let worked = self.threads.run(move || {
            let outcome = job();
            drop(permit);
            outcome
        });
        worked.await
    }
}

fn argon2id() -> Result<Argon2<'static>, Fault> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(Fault::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &[u8]) -> Result<String, Fault> {
    let hash: PasswordHash = argon2id()?.hash_password(password).map_err(Fault::internal)?;
    Ok(hash.to_string())
}

fn verify_now(password: &[u8], stored_hash: &str) -> Result<bool, Fault> {
    let hash = PasswordHash::new(stored_hash).map_err(Fault::internal)?;
    match argon2id()?.verify_password(password, &hash) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(Fault::internal(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use subjects::ErrorCode;

    #[tokio::test]
    async fn a_password_matches_its_own_hash_only() {
        let passwords = Passwords::new(1).unwrap();
        let hash = passwords.hash("kucing oren").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("kucing oren", Some(&hash)).await.unwrap());
        assert!(!passwords.verify("kucing abu", Some(&hash)).await.unwrap());
        assert_ne!(passwords.hash("kucing oren").await.unwrap(), hash);
    }

    #[tokio::test]
    async fn no_account_is_a_plain_no() {
        let passwords = Passwords::new(2).unwrap();
        assert!(!passwords.verify("anything", None).await.unwrap());
    }

    #[tokio::test]
    async fn a_fingerprint_is_the_same_for_the_same_secret_and_context() {
        let turn = Passwords::new(1).unwrap().turn().await.unwrap();
        let fingerprint = turn.fingerprint("kucing oren", "sari@example.com").await.unwrap();
        assert_eq!(turn.fingerprint("kucing oren", "sari@example.com").await.unwrap(), fingerprint);
        assert_ne!(turn.fingerprint("kucing abu", "sari@example.com").await.unwrap(), fingerprint);
        assert_ne!(turn.fingerprint("kucing oren", "dewi@example.com").await.unwrap(), fingerprint);
    }

    #[tokio::test]
    async fn who_would_wait_too_long_is_refused_and_told_when_to_come_again() {
        let passwords = Passwords::new(1).unwrap();
        let held = passwords.turn().await.unwrap();
        let waiting: Vec<_> = (0..MAX_WAITING)
            .map(|_| {
                let passwords = passwords.clone();
                tokio::spawn(async move { passwords.turn().await.map(drop) })
            })
            .collect();
        while passwords.queue.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = passwords.turn().await.map(drop).unwrap_err();
        assert_eq!((refused.code, refused.retry_after_ms), (ErrorCode::Unavailable, Some(COME_AGAIN_MS)));
        for waiting in waiting {
            assert_eq!(waiting.await.unwrap().unwrap_err().code, ErrorCode::Unavailable);
        }
        drop(held);
        assert!(passwords.turn().await.is_ok(), "the queue is empty again");
    }

    #[tokio::test]
    async fn a_hash_that_cannot_be_read_is_our_fault() {
        let passwords = Passwords::new(1).unwrap();
        let fault = passwords.verify("anything", Some("not a hash")).await.unwrap_err();
        assert!(fault.code.is_ours());
    }

    #[tokio::test]
    async fn work_given_up_still_frees_its_place() {
        let passwords = Passwords::new(1).unwrap();
        for _ in 0..3 {
            let abandoned = passwords.clone();
            tokio::spawn(async move { abandoned.hash("given up").await }).abort();
        }
        assert!(passwords.hash("goes on").await.is_ok());
    }
}
