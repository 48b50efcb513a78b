//! A transaction as handlers and repositories see it.

use crate::audit;
use crate::begin::begin;
use crate::error::Error;
use crate::idempotency::Answer;
use crate::outbox::{self, Flush, Origin, OutboxRow};
use crate::store::Store;
use platform::{App, AuditRow, Audited, Cx};
use sea_orm::prelude::async_trait;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use subjects::{Event, Fault};
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

/// One transaction. Clones are the same transaction; all of them must be gone when the handler's closure returns.
///
/// What was emitted, and the answer under an idempotency key, are written in one statement right before the commit, after
/// them what the audit log keeps of the request.
#[derive(Clone)]
pub struct Tx {
    inner: Arc<Inner>,
}

struct Inner {
    database: DatabaseTransaction,
    store: Store,
    /// Of the work at hand: of a batch of events, of the one that is being handled.
    origin: Mutex<Origin>,
    pending: Mutex<Pending>,
    /// Postgres has given up the transaction: a commit would silently undo it.
    aborted: AtomicBool,
    /// The cause was a deadlock or a serialisation failure.
    worth_a_retry: AtomicBool,
}

#[derive(Default)]
struct Pending {
    events: Vec<OutboxRow>,
    answer: Option<Answer>,
    audited: Option<(Audited, AuditRow)>,
}

impl Tx {
    pub(crate) async fn begin(store: &Store, origin: &Origin, deadline: Instant) -> Result<Tx, Fault> {
        let begun = timeout_at(deadline, begin(store.read())).await;
        let database = begun.map_err(|_elapsed| Fault::deadline_exceeded())??;
        let inner = Inner {
            database,
            store: store.clone(),
            origin: Mutex::new(origin.clone()),
            pending: Mutex::default(),
            aborted: AtomicBool::new(false),
            worth_a_retry: AtomicBool::new(false),
        };
        Ok(Tx { inner: Arc::new(inner) })
    }

    /// Tells an event, once the transaction is committed: it goes to the outbox, with the trace, the correlation and
    /// the cause of the work at hand. The body is JSON.
    ///
    /// # Errors
    /// The event has no JSON form.
    pub async fn emit<E: Event>(&self, event: &E) -> Result<(), Fault> {
        let row = OutboxRow::new(event, &self.origin()).map_err(Fault::internal)?;
        self.pending().events.push(row);
        Ok(())
    }

    /// Has the audit log keep that the request is refused, in this transaction: for a refusal that changes something.
    pub fn audit_refusal<A: App>(&self, cx: &Cx<A>, refusal: &Fault) {
        self.audit(cx.audited(), Some(refusal));
    }

    /// Has the audit log keep that the request is done, where it follows it and nothing else was said.
    pub(crate) fn audit_done(&self, audited: Option<&Audited>) {
        if self.pending().audited.is_none() {
            self.audit(audited, None);
        }
    }

    fn audit(&self, audited: Option<&Audited>, refusal: Option<&Fault>) {
        let row = audited.and_then(|audited| Some((audited.clone(), audited.row(refusal)?)));
        self.pending().audited = row;
    }

    /// The event that the work at hand was caused by, where it was one: in a consumer's handler the event that it
    /// handles.
    pub fn cause(&self) -> Option<Uuid> {
        self.origin().cause()
    }

    pub(crate) fn answer(&self, answer: Answer) {
        self.pending().answer = Some(answer);
    }

    pub(crate) fn is_worth_a_retry(&self) -> bool {
        self.inner.worth_a_retry.load(Ordering::Relaxed)
    }

    /// Writes what is pending, commits, and wakes the relay if there is something for it.
    pub(crate) async fn commit(self) -> Result<(), CommitError> {
        if self.inner.aborted.load(Ordering::Relaxed) {
            return Err(CommitError::Aborted);
        }
        let Pending { events, answer, audited } = std::mem::take(&mut *self.pending());
        let has_events = !events.is_empty();
        if let Some(Flush { statement, rows }) = outbox::flush(&events, answer.as_ref())? {
            let written = self.execute_raw(statement).await.map_err(Error::from)?.rows_affected();
            if written != rows {
                return Err(CommitError::NotAllWritten { events: events.len() });
            }
        }
        if let Some((_, row)) = &audited {
            audit::insert(&self, std::slice::from_ref(row)).await.map_err(CommitError::Unaudited)?;
        }
        let Inner { database, store, .. } = Arc::into_inner(self.inner).ok_or(CommitError::StillInUse)?;
        database.commit().await.map_err(Error::from)?;
        if let Some((audited, _)) = audited {
            audited.mark_written();
        }
        if has_events {
            store.inner().outbox_filled.notify_one();
        }
        Ok(())
    }

    pub(crate) async fn rollback(self) {
        // A clone that is still somewhere rolls back when it goes; so does a rollback that fails, with its connection.
        if let Some(inner) = Arc::into_inner(self.inner)
            && let Err(error) = inner.database.rollback().await
        {
            tracing::debug!(error = %error, "a rollback failed, its connection is given up");
        }
    }

    /// What is emitted from here on is told by other work than before.
    pub(crate) fn now_for(&self, origin: Origin) {
        *self.origin() = origin;
    }

    fn origin(&self) -> MutexGuard<'_, Origin> {
        self.inner.origin.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.inner.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn noticed<T>(&self, outcome: Result<T, DbErr>) -> Result<T, DbErr> {
        if let Err(error) = &outcome {
            let error = Error::from(error.clone());
            if error.aborts_the_transaction() {
                self.inner.aborted.store(true, Ordering::Relaxed);
            }
            if error.is_worth_a_retry() {
                self.inner.worth_a_retry.store(true, Ordering::Relaxed);
            }
        }
        outcome
    }
}

/// Why a transaction was not committed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommitError {
    #[error("a statement failed and its failure was passed over, so that nothing could be committed")]
    Aborted,
    #[error("a clone of the transaction outlived the work that it was for")]
    StillInUse,
    #[error("the events have no JSON form")]
    Unwritable(#[from] serde_json::Error),
    #[error("the audit log could not be written")]
    Unaudited(#[source] Fault),
    #[error("not all of {events} events, and their answer, came into their tables")]
    NotAllWritten { events: usize },
    #[error(transparent)]
    Database(#[from] Error),
}

impl From<CommitError> for Fault {
    fn from(error: CommitError) -> Fault {
        match error {
            CommitError::Database(error) => error.into(),
            CommitError::Unaudited(fault) => fault,
            other => Fault::internal(other),
        }
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.noticed(self.inner.database.execute_raw(statement).await)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.noticed(self.inner.database.execute_unprepared(sql).await)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.noticed(self.inner.database.query_one_raw(statement).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.noticed(self.inner.database.query_all_raw(statement).await)
    }
}

impl fmt::Debug for Tx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tx").field("origin", &*self.origin()).finish_non_exhaustive()
    }
}
