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

use crate::domain::brakes::{self, FAMILIAR_FOR};
use crate::domain::email;
use crate::handlers::Cx;
use crate::passwords::Turn;
use crate::repo::brakes::{Count, Counted, Key};
use crate::repo::{brakes as rows, familiar_addresses};
use sea_orm::ConnectionTrait;
use store::{Store, Tx};
use subjects::auth::AuthError;
use subjects::ids::UserId;
use subjects::time::Instant;
use subjects::{Fault, RetryAfterMs};

/// The shortest wait that anybody is told.
const SHORTEST_WAIT_MS: u64 = 1_000;

/// The keyed hash of a normalised e-mail address, under which attempts on its account are counted.
pub fn account_hash(cx: &Cx, normalised_email: &str) -> Result<Vec<u8>, Fault> {
    Ok(cx.app.keyed_hash.of("account", &email::hash(normalised_email))?.to_vec())
}

/// The keyed hash of the client's address, where the edge has told it.
pub fn address_hash(cx: &Cx) -> Result<Option<Vec<u8>>, Fault> {
    let Some(address) = &cx.meta().client_address else { return Ok(None) };
    Ok(Some(cx.app.keyed_hash.of("address", address.as_bytes())?.to_vec()))
}

/// An attempt under way, counted as one that failed.
pub struct Attempt {
    account: Vec<u8>,
    address: Option<Vec<u8>>,
    of_account: Counted,
    of_address: Option<Counted>,
}

impl Attempt {
    /// Counts an attempt on the account of a normalised e-mail address.
    ///
    /// # Errors
    /// `too_many_attempts`, with the time to wait.
    pub async fn begin(cx: &Cx, normalised_email: &str) -> Result<Attempt, AuthError> {
        let account = &account_hash(cx, normalised_email)?;
        let address = &address_hash(cx)?;
        let counted = cx.app.store.write(cx, |tx| async move { count(cx, &tx, account, address.as_deref()).await });
        let (of_account, of_address) = counted.await?;
        Ok(Attempt { account: account.clone(), address: address.clone(), of_account, of_address })
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

    /// It went well: the account's count begins anew, that of the address does not, and the address is familiar to the
    /// account from now on.
    pub async fn signed_in(&self, tx: &Tx, user: UserId, now: Instant) -> Result<(), Fault> {
        if let Some(address) = &self.address {
            familiar_addresses::remember(tx, &self.account, address, user, now).await?;
        }
        self.succeeded(tx).await
    }

    /// Likewise, where nobody signs in by it.
    pub async fn succeeded(&self, db: &impl ConnectionTrait) -> Result<(), Fault> {
        rows::reset(db, &self.of_account).await?;
        if let Some(of_address) = &self.of_address {
            rows::take_back(db, of_address).await?;
        }
        Ok(())
    }

    /// It was never made: something else was in the way.
    pub async fn not_made(&self, store: &Store) {
        let taken_back = async {
            rows::take_back(store.read(), &self.of_account).await?;
            match &self.of_address {
                Some(of_address) => rows::take_back(store.read(), of_address).await,
                None => Ok(()),
            }
        };
        if let Err(error) = taken_back.await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "an attempt that was not made stays counted");
        }
    }
}

/// The row of the account first, always: transactions that take both rows do so in one order. Where one of the two has a
/// wait neither is counted.
async fn count(
    cx: &Cx,
    tx: &Tx,
    account: &[u8],
    address: Option<&[u8]>,
) -> Result<(Counted, Option<Counted>), AuthError> {
    let now = store::now();
    let settings = &cx.app.settings;
    let familiar = match address {
        Some(address) if familiar_addresses::is_familiar(tx, account, address, now - FAMILIAR_FOR).await? => address,
        _ => &[],
    };
    let key = Key { account: account.to_vec(), address: familiar.to_vec() };
    let of_account = rows::count(tx, key, &brakes::of_account(settings.account_attempts), now).await?;
    let of_account = granted(of_account, now)?;
    let Some(address) = address else { return Ok((of_account, None)) };
    let key = Key { account: Vec::new(), address: address.to_vec() };
    let of_address = rows::count(tx, key, &brakes::of_address(settings.address_attempts), now).await?;
    Ok((of_account, Some(granted(of_address, now)?)))
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
