//! What the database refuses, and what that means for the caller.

use sea_orm::{DbErr, RuntimeErr};
use subjects::Fault;

/// After how long a caller should try again when the database is away or busy.
const RETRY_AFTER_MS: u64 = 1_000;

const LOCK_NOT_AVAILABLE: &str = "55P03";
const QUERY_CANCELED: &str = "57014";
const SERIALIZATION_FAILURE: &str = "40001";
const DEADLOCK_DETECTED: &str = "40P01";

/// A failure of the database or of reading its answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused, or is away.
    #[error("{0}")]
    Database(#[from] DbErr),
    /// A row or a stored body does not have the shape that the code expects.
    #[error("unreadable stored value: {0}")]
    Unreadable(String),
}

impl Error {
    /// The name of the violated constraint, if that is what it was.
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Error::Database(error) => database_error(error)?.constraint(),
            Error::Unreadable(_) => None,
        }
    }

    /// The database's SQLSTATE.
    pub fn sql_state(&self) -> Option<String> {
        match self {
            Error::Database(error) => sql_state(error),
            Error::Unreadable(_) => None,
        }
    }

    pub(crate) fn is_lock_timeout(&self) -> bool {
        self.sql_state().as_deref() == Some(LOCK_NOT_AVAILABLE)
    }
}

/// A conflict between transactions that goes away when one of them is tried again.
pub(crate) fn is_retryable(error: &DbErr) -> bool {
    matches!(sql_state(error).as_deref(), Some(SERIALIZATION_FAILURE | DEADLOCK_DETECTED))
}

fn sql_state(error: &DbErr) -> Option<String> {
    database_error(error)?.code().map(|code| code.into_owned())
}

fn database_error(error: &DbErr) -> Option<&(dyn sqlx::error::DatabaseError + 'static)> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            error.as_database_error()
        }
        _ => None,
    }
}

fn is_away(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            matches!(**error, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
                || error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code.starts_with("57P"))
        }
        _ => false,
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let (state, away) = match &error {
            Error::Database(error) => (sql_state(error), is_away(error)),
            Error::Unreadable(_) => (None, false),
        };
        if away {
            return Fault::unavailable(RETRY_AFTER_MS).with_source(error);
        }
        match state.as_deref() {
            Some(QUERY_CANCELED | LOCK_NOT_AVAILABLE) => Fault::deadline_exceeded().with_source(error),
            Some(SERIALIZATION_FAILURE | DEADLOCK_DETECTED) => Fault::unavailable(RETRY_AFTER_MS).with_source(error),
            _ => Fault::internal(error),
        }
    }
}

/// Turns violated constraints into typed errors.
pub trait ResultExt<T> {
    /// `error` where the named constraint was violated; any other failure as it is.
    ///
    /// # Errors
    /// As said.
    fn on_constraint<E: From<Fault>>(self, constraint: &str, error: E) -> Result<T, E>;
}

impl<T> ResultExt<T> for Result<T, Error> {
    fn on_constraint<E: From<Fault>>(self, constraint: &str, error: E) -> Result<T, E> {
        self.map_err(|failure| if failure.constraint() == Some(constraint) { error } else { Fault::from(failure).into() })
    }
}
