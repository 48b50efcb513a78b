//! A handler's one transaction, tried again where Postgres chose it as a deadlock's victim.

use crate::outbox::Origin;
use crate::store::Store;
use crate::tx::{CommitError, Tx};
use platform::{App, Cx};
use std::time::Duration;
use subjects::Fault;
use tokio::time::Instant;

/// How often a transaction is tried at the most.
const TRIES: u32 = 4;
/// The longest pause before the second try; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

impl Store {
    /// Runs `work` in one transaction, committed when it answers `Ok` and rolled back otherwise. After a deadlock or a
    /// serialisation failure it is tried again, up to three times; so `work` must have no effect but in the
    /// transaction. Where the audit log follows the request, its entry is written in the same transaction; of a request
    /// that makes several, in the first.
    ///
    /// # Errors
    /// What `work` refuses; the database's own failures as faults: `unavailable` when it is away or no connection is
    /// free, `deadline_exceeded` when the caller's time is over.
    pub async fn write<A, T, E, F, Fut>(&self, cx: &Cx<A>, work: F) -> Result<T, E>
    where
        A: App,
        E: From<Fault>,
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let work = &work;
        self.transaction(&Origin::of(cx.meta()), cx.deadline(), |tx| async move {
            let value = work(tx.clone()).await?;
            tx.audit_done(cx.audited());
            Ok(value)
        })
        .await
    }

    /// [`Store::write`] for what goes beside the deed that the request asks for: it is not what the audit log takes for it.
    ///
    /// # Errors
    /// As of [`Store::write`].
    pub async fn write_aside<A, T, E, F, Fut>(&self, cx: &Cx<A>, work: F) -> Result<T, E>
    where
        A: App,
        E: From<Fault>,
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.transaction(&Origin::of(cx.meta()), cx.deadline(), work).await
    }

    pub(crate) async fn transaction<T, E, F, Fut>(&self, origin: &Origin, deadline: Instant, work: F) -> Result<T, E>
    where
        E: From<Fault>,
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let mut tries = 0;
        loop {
            tries += 1;
            let tx = Tx::begin(self, origin, deadline).await?;
            let (refusal, worth_a_retry) = match work(tx.clone()).await {
                Ok(value) => match tx.commit().await {
                    Ok(()) => return Ok(value),
                    Err(error) => {
                        let worth_a_retry = matches!(&error, CommitError::Database(error) if error.is_worth_a_retry());
                        (E::from(Fault::from(error)), worth_a_retry)
                    }
                },
                Err(refusal) => {
                    let worth_a_retry = tx.is_worth_a_retry();
                    tx.rollback().await;
                    (refusal, worth_a_retry)
                }
            };
            if !worth_a_retry || tries >= TRIES || Instant::now() >= deadline {
                return Err(refusal);
            }
            tracing::debug!(tries, "the transaction met others in a deadlock, trying again");
            let longest = FIRST_PAUSE * 2_u32.pow(tries - 1);
            tokio::time::sleep(longest.mul_f64(rand::random())).await;
        }
    }
}
