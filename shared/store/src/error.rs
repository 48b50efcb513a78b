//! What the database can answer other than rows, and what the caller learns of it.

use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr, SqlxError};
use sqlx::error::DatabaseError;
use subjects::{ErrorCode, Fault, NoError, Violation};

/// After how many milliseconds trying again makes sense when the database is away or too busy.
const RETRY_AFTER_MS: u64 = 1_000;

/// A failure of the database.
#[derive(Debug, Clone, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] DbErr);

impl Error {
    /// The name of the violated constraint: unique, foreign key, check, not null or exclusion (SQLSTATE class 23).
    pub fn constraint(&self) -> Option<&str> {
        self.database_error().and_then(DatabaseError::constraint)
    }

    /// The SQLSTATE that Postgres answered (its manual, appendix A).
    pub fn sqlstate(&self) -> Option<String> {
        self.database_error().and_then(DatabaseError::code).map(|code| code.into_owned())
    }

    /// A deadlock or a serialisation failure: the same transaction may well succeed when it is tried again.
    pub(crate) fn is_worth_a_retry(&self) -> bool {
        matches!(self.sqlstate().as_deref(), Some("40P01" | "40001"))
    }

    /// A lock was not given within `lock_timeout`.
    pub(crate) fn is_lock_timeout(&self) -> bool {
        self.sqlstate().as_deref() == Some("55P03")
    }

    /// The answer came from Postgres, which has given up the transaction with it.
    pub(crate) fn aborts_the_transaction(&self) -> bool {
        self.database_error().is_some()
    }

    fn database_error(&self) -> Option<&dyn DatabaseError> {
        match self.sqlx_error()? {
            SqlxError::Database(error) => Some(error.as_ref()),
            _ => None,
        }
    }

    fn sqlx_error(&self) -> Option<&SqlxError> {
        match &self.0 {
            DbErr::Exec(RuntimeErr::SqlxError(error))
            | DbErr::Query(RuntimeErr::SqlxError(error))
            | DbErr::Conn(RuntimeErr::SqlxError(error)) => Some(error.as_ref()),
            _ => None,
        }
    }

    fn what_is_wrong_with_the_value(&self) -> &'static str {
        match self.sqlstate().as_deref() {
            Some("22003" | "22007" | "22008") => "a number or a time is beyond what can be kept",
            _ => "text may not hold the character U+0000",
        }
    }

    fn code(&self) -> ErrorCode {
        match &self.0 {
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout | ConnAcquireErr::ConnectionClosed) => {
                return ErrorCode::Unavailable;
            }
            DbErr::Conn(_) if self.database_error().is_none() => return ErrorCode::Unavailable,
            _ => {}
        }
        match self.sqlx_error() {
            Some(
                SqlxError::Io(_)
                | SqlxError::Tls(_)
                | SqlxError::PoolTimedOut
                | SqlxError::PoolClosed
                | SqlxError::WorkerCrashed,
            ) => ErrorCode::Unavailable,
            _ => self.sqlstate().map_or(ErrorCode::Internal, |sqlstate| code_of_sqlstate(&sqlstate)),
        }
    }
}

fn code_of_sqlstate(sqlstate: &str) -> ErrorCode {
    match sqlstate {
        // query_canceled, lock_not_available
        "57014" | "55P03" => ErrorCode::DeadlineExceeded,
        // admin_shutdown, crash_shutdown, cannot_connect_now; read_only_sql_transaction, as on a former primary
        "57P01" | "57P02" | "57P03" | "25006" => ErrorCode::Unavailable,
        // serialization_failure, deadlock_detected: the retries were not enough
        "40001" | "40P01" => ErrorCode::Unavailable,
        // character_not_in_repertoire, untranslatable_character: U+0000, which Postgres cannot keep
        "22021" | "22P05" => ErrorCode::BadRequest,
        // numeric_value_out_of_range, invalid_datetime_format, datetime_field_overflow: values that no rule of ours
        // bounds, such as those in a cursor that somebody wrote by hand
        "22003" | "22007" | "22008" => ErrorCode::BadRequest,
        // connection_exception, insufficient_resources
        _ if sqlstate.starts_with("08") || sqlstate.starts_with("53") => ErrorCode::Unavailable,
        _ => ErrorCode::Internal,
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let fault = match error.code() {
            ErrorCode::Unavailable => Fault::unavailable(RETRY_AFTER_MS),
            ErrorCode::DeadlineExceeded => Fault::deadline_exceeded(),
            ErrorCode::BadRequest => Fault::invalid(vec![Violation::new("", error.what_is_wrong_with_the_value())]),
            _ => return Fault::internal(error),
        };
        fault.with_source(error)
    }
}

impl From<Error> for NoError {
    fn from(error: Error) -> NoError {
        NoError(Fault::from(error))
    }
}

/// Turns violated constraints into a service's own errors.
pub trait ResultExt<T> {
    /// `refusal` where the named constraint is violated; any other failure as it is.
    ///
    /// # Errors
    /// See above.
    fn on_constraint<E: From<Fault>>(self, constraint: &str, refusal: E) -> Result<T, E>;
}

impl<T, X: Into<Error>> ResultExt<T> for Result<T, X> {
    fn on_constraint<E: From<Fault>>(self, constraint: &str, refusal: E) -> Result<T, E> {
        self.map_err(|error| {
            let error: Error = error.into();
            match error.constraint() {
                Some(violated) if violated == constraint => refusal,
                _ => Fault::from(error).into(),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_pool_and_a_database_that_is_away_are_unavailable() {
        let busy = Error::from(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout));
        let fault = Fault::from(busy);
        assert_eq!((fault.code, fault.retry_after_ms), (ErrorCode::Unavailable, Some(RETRY_AFTER_MS)));

        let refused = SqlxError::Io(std::io::Error::from(std::io::ErrorKind::ConnectionRefused));
        let away = Error::from(DbErr::Conn(RuntimeErr::SqlxError(refused.into())));
        assert_eq!(Fault::from(away).code, ErrorCode::Unavailable);
    }

    #[test]
    fn what_nobody_expects_is_internal_and_keeps_its_cause() {
        let fault = Fault::from(Error::from(DbErr::Custom("no such column".to_owned())));
        assert_eq!(fault.code, ErrorCode::Internal);
        assert!(fault.source.unwrap().to_string().contains("no such column"));
    }
}
