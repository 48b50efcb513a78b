//! A transaction, as effects get it.

use crate::error::{Error, is_retryable};
use crate::outbox;
use async_trait::async_trait;
use platform::Meta;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use subjects::Event;

/// A transaction under way. Cheap to clone; the store commits it once the effect has returned.
#[derive(Clone)]
pub struct Tx(Arc<Inner>);

struct Inner {
    transaction: DatabaseTransaction,
    meta: Meta,
    conflicted: AtomicBool,
    emitted: AtomicBool,
}

/// How a transaction ended that an effect has left.
pub(crate) struct Left {
    pub(crate) transaction: DatabaseTransaction,
    pub(crate) conflicted: bool,
    pub(crate) emitted: bool,
}

impl Tx {
    pub(crate) fn new(transaction: DatabaseTransaction, meta: Meta) -> Tx {
        let (conflicted, emitted) = (AtomicBool::new(false), AtomicBool::new(false));
        Tx(Arc::new(Inner { transaction, meta, conflicted, emitted }))
    }

    /// Takes the transaction back from its effect.
    ///
    /// # Errors
    /// The effect has kept a clone beyond its end, which would let it write after the commit.
    pub(crate) fn leave(self) -> Result<Left, Error> {
        let inner = Arc::try_unwrap(self.0)
            .map_err(|_still_used| Error::Unreadable("a transaction was kept beyond its effect".to_owned()))?;
        Ok(Left {
            transaction: inner.transaction,
            conflicted: inner.conflicted.into_inner(),
            emitted: inner.emitted.into_inner(),
        })
    }

    /// Puts an event into the outbox. It is published after the commit, and only then.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn emit<E: Event>(&self, event: &E) -> Result<(), Error> {
        outbox::insert(self, event, &self.0.meta).await?;
        self.0.emitted.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The circumstances that its events carry on.
    pub fn meta(&self) -> &Meta {
        &self.0.meta
    }

    fn note<T>(&self, outcome: Result<T, DbErr>) -> Result<T, DbErr> {
        if let Err(error) = &outcome
            && is_retryable(error)
        {
            self.0.conflicted.store(true, Ordering::Relaxed);
        }
        outcome
    }
}

#[async_trait]
impl ConnectionTrait for Tx {
    fn get_database_backend(&self) -> DbBackend {
        self.0.transaction.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.note(self.0.transaction.execute_raw(statement).await)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.note(self.0.transaction.execute_unprepared(sql).await)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.note(self.0.transaction.query_one_raw(statement).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.note(self.0.transaction.query_all_raw(statement).await)
    }
}
