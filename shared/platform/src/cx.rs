//! What a handler gets beside its request.

use crate::app::{App, Calls};
use crate::audit::Audited;
use crate::client::Client;
use crate::meta::Meta;
use identity::Caller;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use subjects::{ErrorCode, Fallback, Fault, Request, ServiceError};
use tokio::time::Instant;
use uuid::Uuid;

/// One request's context: who asks, until when, and typed calls to other services. Cheap to clone.
pub struct Cx<A: App> {
    /// The service's state.
    pub app: Arc<A>,
    inner: Arc<Inner>,
}

/// What is told of an answer beside it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Marks {
    /// It was stored before.
    pub(crate) replayed: bool,
    /// It stands in for a better one.
    pub(crate) fallback: Option<Fallback>,
}

struct Inner {
    client: Client,
    caller: Caller,
    user_token: Option<Arc<str>>,
    meta: Meta,
    deadline: Instant,
    audited: Option<Audited>,
    replayed: AtomicBool,
    fallback: OnceLock<Fallback>,
    calls: AtomicU32,
    /// In microseconds.
    time_in_calls: AtomicU64,
    /// Calls that failed by no fault of the caller, and those that have no answer yet.
    unanswered_calls: AtomicU32,
}

impl<A: App> Clone for Cx<A> {
    fn clone(&self) -> Cx<A> {
        Cx { app: self.app.clone(), inner: self.inner.clone() }
    }
}

impl<A: App> Cx<A> {
    pub(crate) fn new(
        app: Arc<A>,
        client: Client,
        caller: Caller,
        user_token: Option<Arc<str>>,
        meta: Meta,
        deadline: Instant,
        audited: Option<Audited>,
    ) -> Cx<A> {
        let inner = Inner {
            client,
            caller,
            user_token,
            meta,
            deadline,
            audited,
            replayed: AtomicBool::new(false),
            fallback: OnceLock::new(),
            calls: AtomicU32::new(0),
            time_in_calls: AtomicU64::new(0),
            unanswered_calls: AtomicU32::new(0),
        };
        Cx { app, inner: Arc::new(inner) }
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.inner.caller
    }

    /// The circumstances: correlation, trace, idempotency key, and so on.
    pub fn meta(&self) -> &Meta {
        &self.inner.meta
    }

    /// When the caller gives up.
    pub fn deadline(&self) -> Instant {
        self.inner.deadline
    }

    /// How long there is until then.
    pub fn remaining(&self) -> Duration {
        self.inner.deadline.saturating_duration_since(Instant::now())
    }

    /// The version that the change is based on, from `If-Match`.
    ///
    /// # Errors
    /// [`ErrorCode::PreconditionRequired`] where the caller named none.
    pub fn expected_version(&self) -> Result<i64, Fault> {
        self.inner.meta.if_match.ok_or_else(|| {
            Fault::new(ErrorCode::PreconditionRequired, "send If-Match with the version that your change is based on")
        })
    }

    /// Asks another service, on behalf of this caller, within what is left of the deadline.
    ///
    /// # Errors
    /// The other service's own error, or its `Fault`: `unavailable` when nobody answers the subject,
    /// `deadline_exceeded` when no answer came in time, `internal` when NATS forbids the call.
    pub async fn call<R: Request>(&self, request: &R) -> Result<R::Reply, R::Error>
    where
        A: Calls<R>,
    {
        self.call_within(request, Duration::MAX).await
    }

    /// Likewise, giving up after `limit` where that is sooner than the deadline.
    pub async fn call_within<R: Request>(&self, request: &R, limit: Duration) -> Result<R::Reply, R::Error>
    where
        A: Calls<R>,
    {
        let limited = Instant::now().checked_add(limit).unwrap_or(self.inner.deadline);
        let deadline = limited.min(self.inner.deadline);
        let ordinal = self.inner.calls.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        self.inner.unanswered_calls.fetch_add(1, Ordering::Relaxed);
        let outcome =
            self.inner.client.call(request, self.inner.user_token.clone(), &self.inner.meta, ordinal, deadline).await;
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.inner.time_in_calls.fetch_add(took, Ordering::Relaxed);
        if outcome.as_ref().err().is_none_or(|fault| !fault.code.is_ours()) {
            self.inner.unanswered_calls.fetch_sub(1, Ordering::Relaxed);
        }
        outcome.map_err(R::Error::from_fault)
    }

    /// Whether a call to another service failed, or was still under way when it was given up: what came of the request
    /// then tells nothing of this service.
    pub(crate) fn leant_on_others(&self) -> bool {
        self.inner.unanswered_calls.load(Ordering::Relaxed) > 0
    }

    /// How long calls to other services took, one after the other.
    pub(crate) fn time_in_calls(&self) -> Duration {
        Duration::from_micros(self.inner.time_in_calls.load(Ordering::Relaxed))
    }

    /// What the audit log keeps of the request, where it follows it.
    pub fn audited(&self) -> Option<&Audited> {
        self.inner.audited.as_ref()
    }

    /// Tells the audit log whom or what the request is about, where the request itself does not say so in `id`, `userId`
    /// or its path.
    pub fn concerns(&self, id: impl Into<Uuid>) {
        if let Some(audited) = &self.inner.audited {
            audited.concerns(id.into());
        }
    }

    /// Tells the audit log what else there is to know: ids and names, nothing personal.
    pub fn note(&self, details: impl FnOnce() -> serde_json::Value) {
        if let Some(audited) = &self.inner.audited {
            audited.note(details());
        }
    }

    /// Says that the answer is one that was stored before.
    pub fn mark_replayed(&self) {
        self.inner.replayed.store(true, Ordering::Relaxed);
    }

    /// Says that the answer stands in for a better one. The operation has declared it
    /// ([`Request::FALLBACKS`]). Of several the first is told.
    pub fn fall_back(&self, fallback: Fallback) {
        self.inner.fallback.get_or_init(|| fallback);
    }

    pub(crate) fn marks(&self) -> Marks {
        let replayed = self.inner.replayed.load(Ordering::Relaxed);
        // What was stored is as it was, whatever was found out before it was found.
        let fallback = self.inner.fallback.get().copied().filter(|_| !replayed);
        Marks { replayed, fallback }
    }
}
