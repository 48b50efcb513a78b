//! Transactions under an idempotency key.

use crate::idempotency::{Key, Stored, is_stored, wait_for_key};
use crate::outbox::Origin;
use crate::store::Store;
use crate::tx::Tx;
use platform::{App, Cx};
use subjects::{Fault, Request, ServiceError};

/// What the transaction came to.
enum Outcome<T> {
    Done(T),
    WasThere(Stored),
}

/// Why it came to nothing.
enum Stop<E> {
    /// Our own failure, or a key that is in use. Never stored.
    Fault(Fault),
    /// What the work refused.
    Refused(E),
}

impl<E> From<Fault> for Stop<E> {
    fn from(fault: Fault) -> Stop<E> {
        Stop::Fault(fault)
    }
}

impl Store {
    /// [`Store::write`] with the answer stored under the request's idempotency key, in the same transaction as the
    /// effect. Without a key it is just that.
    ///
    /// The same key (of the same caller and operation) answers the same again, and marks the answer as replayed;
    /// whoever comes while the first is still at work waits for it. What the domain refuses is stored as well; what
    /// overload, the deadline or a fault of ours refuses is not, nor what may be otherwise a moment later: missing
    /// rights, a missing resource, another version. Answers that carry secrets must not come this way.
    ///
    /// Refuse inside `work` rather than before: a replay then comes before any refusal.
    ///
    /// # Errors
    /// What `work` refuses; `idempotency_key_in_use` (409, with a retry-after) when the first request is still at work
    /// at the deadline; `idempotency_key_reused` (422) for the same key with another request.
    pub async fn keyed<A, R, F, Fut>(&self, cx: &Cx<A>, request: &R, work: F) -> Result<R::Reply, R::Error>
    where
        A: App,
        R: Request,
        R::Error: From<Fault>,
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<R::Reply, R::Error>>,
    {
        self.under_key::<A, R, F, Fut>(cx, Key::of(cx, None, request)?, work).await
    }

    /// [`Store::keyed`], where keys are unique only within `scope` as well as the caller. All who are not signed in are
    /// one caller: an operation that is open to them names here whom the request is about, so that two people who
    /// happen to send the same key do not meet. `scope` is stored: a digest where it is personal.
    ///
    /// # Errors
    /// As of [`Store::keyed`].
    pub async fn keyed_in<A, R, F, Fut>(
        &self,
        cx: &Cx<A>,
        scope: &str,
        request: &R,
        work: F,
    ) -> Result<R::Reply, R::Error>
    where
        A: App,
        R: Request,
        R::Error: From<Fault>,
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<R::Reply, R::Error>>,
    {
        self.under_key::<A, R, F, Fut>(cx, Key::of(cx, Some(scope), request)?, work).await
    }

    async fn under_key<A, R, F, Fut>(&self, cx: &Cx<A>, key: Option<Key>, work: F) -> Result<R::Reply, R::Error>
    where
        A: App,
        R: Request,
        R::Error: From<Fault>,
        F: Fn(Tx) -> Fut,
        Fut: Future<Output = Result<R::Reply, R::Error>>,
    {
        let Some(key) = key else { return self.write(cx, work).await };
        let (key, work) = (&key, &work);
        let origin = Origin::of(cx.meta());
        let attempt = self.transaction(&origin, cx.deadline(), |tx| async move {
            if let Some(stored) = key.claim(&tx, wait_for_key(cx.remaining())).await? {
                return Ok(Outcome::WasThere(stored));
            }
            let reply = work(tx.clone()).await.map_err(Stop::Refused)?;
            tx.answer(key.answer(&reply)?);
            tx.audit_done(cx.audited());
            Ok(Outcome::Done(reply))
        });
        match attempt.await {
            Ok(Outcome::Done(reply)) => Ok(reply),
            Ok(Outcome::WasThere(stored)) => replay::<A, R>(cx, key, stored),
            Err(Stop::Fault(fault)) => Err(fault.into()),
            Err(Stop::Refused(refusal)) => self.keep_refusal::<A, R>(cx, key, refusal).await,
        }
    }

    /// The refusal is stored after the rollback, in a transaction of its own, which saves every request that is not
    /// refused a savepoint. Whoever took the key in between has decided for both: that answer is given then.
    async fn keep_refusal<A, R>(&self, cx: &Cx<A>, key: &Key, refusal: R::Error) -> Result<R::Reply, R::Error>
    where
        A: App,
        R: Request,
    {
        let refusal = refusal.into_fault();
        if is_stored(&refusal) {
            match key.record_refusal(self.read(), &refusal, wait_for_key(cx.remaining())).await {
                Ok(None) => {}
                Ok(Some(stored)) => return replay::<A, R>(cx, key, stored),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a refusal could not be stored");
                }
            }
        }
        Err(R::Error::from_fault(refusal))
    }
}

fn replay<A: App, R: Request>(cx: &Cx<A>, key: &Key, stored: Stored) -> Result<R::Reply, R::Error> {
    if !stored.is_for(key) {
        let message = "this idempotency key was used before, with another request";
        let fault = Fault::new(subjects::ErrorCode::Unprocessable, message).with_reason("idempotency_key_reused");
        return Err(R::Error::from_fault(fault));
    }
    cx.mark_replayed();
    stored.replay::<R>()
}
