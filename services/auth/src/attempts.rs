//! Attempts at a password or a code: how many may fail before the next one has to wait.
//!
//! An attempt is counted as a failure before anything is hashed or compared, in a row for the account and in one for the
//! client's address, so that attempts at the same time cannot slip past the limit, at whatever replica. It is taken back
//! where it goes well. While there is a wait nothing is looked up of the account: all is the same for one that does not
//! exist.
//!
//! Somebody else's attempts must not keep a user out. So an address from which the account was signed in to within the last
//! 30 days has a count of its own for it, and neither adds to nor is held up by what comes from elsewhere; and whoever has
//! another password set by a code starts anew. (Only whoever shares an address with a user learns by this that there is an
//! account: from there the waits are others.)

use crate::AuthSettings;
use crate::domain::brakes::{self, Brake, FAMILIAR_FOR};
use crate::domain::email;
use crate::entity::user;
use crate::handlers::Cx;
use crate::passwords::Turn;
use crate::repo::brakes::{self as rows, Count, Counted, Key};
use crate::repo::familiar_addresses;
use sea_orm::ConnectionTrait;
use store::{Store, Tx};
use subjects::auth::AuthError;
use subjects::time::Instant;
use subjects::{Fault, RetryAfterMs};

/// The shortest wait that anybody is told.
const SHORTEST_WAIT_MS: u64 = 1_000;

/// What is counted, each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// Attempts at passwords; for addresses, at codes as well.
    Passwords,
    /// Codes that are asked for. They are as much a nuisance for whoever gets them as chances for whoever guesses: five
    /// tries each.
    CodeRequests,
}

impl Counts {
    /// All that there are.
    pub const ALL: [Counts; 2] = [Counts::Passwords, Counts::CodeRequests];

    /// The keyed hash of an account, of whose normalised e-mail address this is [`email::hash`].
    ///
    /// # Errors
    /// Those of [`KeyedHash::of`](crate::domain::keyed_hash::KeyedHash::of).
    pub fn account_hash(self, cx: &Cx, email_hash: &[u8]) -> Result<Vec<u8>, Fault> {
        let purpose = match self {
            Counts::Passwords => "passwords of an account",
            Counts::CodeRequests => "codes for an account",
        };
        Ok(cx.app.keyed_hash.of(purpose, email_hash)?.to_vec())
    }

    /// The keyed hash of the client's address, where the edge has told it.
    fn address_hash(self, cx: &Cx) -> Result<Option<Vec<u8>>, Fault> {
        let purpose = match self {
            Counts::Passwords => "passwords from an address",
            Counts::CodeRequests => "codes for an address",
        };
        let Some(address) = &cx.meta().client_address else { return Ok(None) };
        Ok(Some(cx.app.keyed_hash.of(purpose, address.as_bytes())?.to_vec()))
    }

    fn brake_of_account(self, settings: &AuthSettings) -> Brake {
        match self {
            Counts::Passwords => brakes::of_account(settings.account_attempts),
            Counts::CodeRequests => brakes::CODES_FOR_ACCOUNT,
        }
    }

    fn brake_of_address(self, settings: &AuthSettings) -> Brake {
        match self {
            Counts::Passwords => brakes::of_address(settings.address_attempts),
            Counts::CodeRequests => brakes::CODES_FOR_ADDRESS,
        }
    }
}

/// An attempt under way, counted as one that failed.
pub struct Attempt {
    /// The row of the account first, always: transactions that take several rows do so in one order.
    counted: Vec<Counted>,
}

impl Attempt {
    /// Counts an attempt on the account of a normalised e-mail address. Where account or address has a wait it is counted
    /// for neither.
    ///
    /// # Errors
    /// `too_many_attempts`, with the time to wait.
    pub async fn begin(cx: &Cx, counts: Counts, normalised_email: &str) -> Result<Attempt, AuthError> {
        let email_hash = &email::hash(normalised_email);
        let settings = &cx.app.settings;
        let (of_account, of_address) = (counts.brake_of_account(settings), counts.brake_of_address(settings));
        cx.app
            .store
            .write_aside(cx, |tx| async move {
                let now = store::now();
                let address = counts.address_hash(cx)?;
                let familiar = if is_familiar(cx, &tx, email_hash, now).await? { address.clone() } else { None };
                let account = counts.account_hash(cx, email_hash)?;
                let account = Key { account, address: familiar.unwrap_or_default() };
                let mut counted = vec![granted(rows::count(&tx, account, &of_account, now).await?, now)?];
                if let Some(address) = address {
                    counted.push(granted(rows::count(&tx, Key::of_address(address), &of_address, now).await?, now)?);
                }
                Ok(Attempt { counted })
            })
            .await
    }

    /// Counts an attempt for the client's address alone.
    ///
    /// # Errors
    /// Likewise.
    pub async fn begin_from_address(cx: &Cx, counts: Counts) -> Result<Attempt, AuthError> {
        let Some(address) = counts.address_hash(cx)? else { return Ok(Attempt { counted: Vec::new() }) };
        let (brake, now) = (counts.brake_of_address(&cx.app.settings), store::now());
        let counted = rows::count(cx.app.store.read(), Key::of_address(address), &brake, now).await?;
        Ok(Attempt { counted: vec![granted(counted, now)?] })
    }

    /// A turn at the password workers; where none comes, the attempt is not made.
    ///
    /// # Errors
    /// Those of [`Passwords::turn`](crate::Passwords::turn).
    pub async fn turn(&self, cx: &Cx) -> Result<Turn, Fault> {
        match cx.app.passwords.turn().await {
            Ok(turn) => Ok(turn),
            Err(too_busy) => {
                self.not_made(&cx.app.store).await;
                Err(too_busy)
            }
        }
    }

    /// It went well: the account's count begins anew, that of the address does not.
    pub async fn succeeded(&self, db: &impl ConnectionTrait) -> Result<(), Fault> {
        for counted in &self.counted {
            if counted.is_of_account() {
                rows::reset(db, counted).await?;
            } else {
                rows::take_back(db, counted).await?;
            }
        }
        Ok(())
    }

    /// It was never made: something else was in the way.
    pub async fn not_made(&self, store: &Store) {
        for counted in &self.counted {
            if let Err(error) = rows::take_back(store.read(), counted).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "an attempt that was not made stays counted");
            }
        }
    }
}

/// Notes that somebody who belongs to an account was at the client's address.
///
/// # Errors
/// The database's.
pub async fn make_familiar(cx: &Cx, tx: &Tx, account: &user::Model, now: Instant) -> Result<(), Fault> {
    let Some(address) = Counts::Passwords.address_hash(cx)? else { return Ok(()) };
    let hash = Counts::Passwords.account_hash(cx, &email::hash(&account.email))?;
    Ok(familiar_addresses::remember(tx, &hash, &address, account.id, now).await?)
}

async fn is_familiar(cx: &Cx, tx: &Tx, email_hash: &[u8], now: Instant) -> Result<bool, Fault> {
    let Some(address) = Counts::Passwords.address_hash(cx)? else { return Ok(false) };
    let account = Counts::Passwords.account_hash(cx, email_hash)?;
    Ok(familiar_addresses::is_familiar(tx, &account, &address, now - FAMILIAR_FOR).await?)
}

fn granted(count: Count, now: Instant) -> Result<Counted, AuthError> {
    match count {
        Count::Counted(counted) => Ok(counted),
        Count::LockedUntil(until) => {
            let wait_ms = u64::try_from((until - now).num_milliseconds()).unwrap_or_default();
            Err(AuthError::TooManyAttempts(RetryAfterMs(wait_ms.max(SHORTEST_WAIT_MS))))
        }
    }
}
