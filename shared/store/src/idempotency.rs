//! What is stored under an idempotency key: see `claim_idempotency_key` and `record_refusal` in the common SQL.

use crate::error::Error;
use platform::{App, Cx};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement, Value};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::time::Duration;
use subjects::{ErrorCode, Fault, Request, ServiceError};

/// The longest idempotency key, in bytes.
const MAX_KEY_LENGTH: usize = 255;
/// After how many milliseconds asking again makes sense while the first request is still at work.
const RETRY_AFTER_MS: u64 = 1_000;
/// What is kept of the deadline for answering that the key is in use.
const ANSWERING_TIME: Duration = Duration::from_millis(100);

const CLAIM: &str = "select body_hash, status, reply from claim_idempotency_key($1, $2, $3, $4)";
const RECORD_REFUSAL: &str = "select body_hash, status, reply from record_refusal($1, $2, $3, $4, $5, $6)";

/// A key with all that it is unique in, and the hash of the request that it came with.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    scope: String,
    subject: String,
    key: String,
    body_hash: Vec<u8>,
}

/// An answer on its way into the table, as JSON.
#[derive(Debug)]
pub(crate) struct Answer {
    key: Key,
    reply: String,
}

/// What was stored before.
#[derive(Debug)]
pub(crate) struct Stored {
    body_hash: Vec<u8>,
    status: String,
    reply: serde_json::Value,
}

impl Key {
    /// The key of a request, unique within the caller and, if there is one, the narrower scope. None: it has none.
    pub(crate) fn of<A: App>(
        cx: &Cx<A>,
        narrower: Option<&str>,
        request: &impl Serialize,
    ) -> Result<Option<Key>, Fault> {
        let Some(key) = &cx.meta().idempotency_key else { return Ok(None) };
        if key.len() > MAX_KEY_LENGTH {
            let message = format!("an idempotency key may have at most {MAX_KEY_LENGTH} bytes");
            return Err(Fault::new(ErrorCode::BadRequest, message).with_reason("idempotency_key_too_long"));
        }
        let body = serde_json::to_value(request).map_err(Fault::internal)?;
        let body_hash = hash(body, cx.meta().if_match);
        let mut scope = cx.caller().scope();
        if let Some(narrower) = narrower {
            scope = format!("{scope}:{narrower}");
        }
        Ok(Some(Key { scope, subject: cx.meta().subject.clone(), key: key.clone(), body_hash }))
    }

    /// Waits until nobody else works under the key, and tells what is stored under it. The key is ours until the
    /// transaction's end.
    pub(crate) async fn claim(&self, tx: &impl ConnectionTrait, wait: Duration) -> Result<Option<Stored>, Fault> {
        let values: [Value; 4] =
            [self.scope.as_str().into(), self.subject.as_str().into(), self.key.as_str().into(), milliseconds(wait)];
        let claimed = tx.query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, CLAIM, values)).await;
        match claimed.map_err(Error::from) {
            Ok(row) => Ok(row.map(|row| Stored::read(&row)).transpose()?),
            Err(error) if error.is_lock_timeout() => Err(key_in_use()),
            Err(error) => Err(error.into()),
        }
    }

    /// Stores a refusal, unless an answer is stored by now: that one is told then.
    pub(crate) async fn record_refusal(
        &self,
        database: &impl ConnectionTrait,
        refusal: &Fault,
        wait: Duration,
    ) -> Result<Option<Stored>, Fault> {
        let reply = serde_json::to_value(refusal).map_err(Fault::internal)?;
        let values: [Value; 6] = [
            self.scope.as_str().into(),
            self.subject.as_str().into(),
            self.key.as_str().into(),
            self.body_hash.clone().into(),
            reply.into(),
            milliseconds(wait),
        ];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, RECORD_REFUSAL, values);
        let row = database.query_one_raw(statement).await.map_err(Error::from)?;
        Ok(row.map(|row| Stored::read(&row)).transpose()?)
    }

    /// The answer to be stored with the effect.
    pub(crate) fn answer(&self, reply: &impl Serialize) -> Result<Answer, Fault> {
        let reply = serde_json::to_string(reply).map_err(Fault::internal)?;
        Ok(Answer { key: self.clone(), reply })
    }
}

impl Answer {
    /// Scope, subject, key, hash and reply, in this order.
    pub(crate) fn values(&self) -> [Value; 5] {
        let Key { scope, subject, key, body_hash } = &self.key;
        [
            scope.as_str().into(),
            subject.as_str().into(),
            key.as_str().into(),
            body_hash.clone().into(),
            self.reply.as_str().into(),
        ]
    }
}

impl Stored {
    fn read(row: &QueryResult) -> Result<Stored, Error> {
        Ok(Stored {
            body_hash: row.try_get("", "body_hash")?,
            status: row.try_get("", "status")?,
            reply: row.try_get("", "reply")?,
        })
    }

    /// Whether it was stored for the same request.
    pub(crate) fn is_for(&self, key: &Key) -> bool {
        self.body_hash == key.body_hash
    }

    /// The stored answer, given again.
    pub(crate) fn replay<R: Request>(self) -> Result<R::Reply, R::Error> {
        let unreadable = |error| R::Error::from_fault(Fault::internal(error));
        if self.status == "refused" {
            let fault: Fault = serde_json::from_value(self.reply).map_err(unreadable)?;
            return Err(R::Error::from_fault(fault));
        }
        serde_json::from_value(self.reply).map_err(unreadable)
    }
}

/// What a key stands for: the body and the version that the change is based on. By way of a `Value`, whose maps are
/// sorted: equal requests give equal bytes.
fn hash(body: serde_json::Value, if_match: Option<i64>) -> Vec<u8> {
    Sha256::digest(serde_json::json!([body, if_match]).to_string().as_bytes()).to_vec()
}

/// Whether a refusal is the domain's, and so stays the answer under its key. What says "not now", "not you", "not yet
/// there" or "not on this version" is worth asking again: the same request may well succeed later.
pub(crate) fn is_stored(refusal: &Fault) -> bool {
    let may_pass = matches!(
        refusal.code,
        ErrorCode::RateLimited
            | ErrorCode::Unauthenticated
            | ErrorCode::Forbidden
            | ErrorCode::NotFound
            | ErrorCode::PreconditionFailed
            | ErrorCode::PreconditionRequired
    );
    !refusal.code.is_ours() && !may_pass
}

/// How long to wait for a key: the deadline's rest, but for what answering takes.
pub(crate) fn wait_for_key(remaining: Duration) -> Duration {
    remaining.saturating_sub(ANSWERING_TIME.min(remaining / 4))
}

fn key_in_use() -> Fault {
    let message = "a request with this idempotency key is still at work";
    let mut fault = Fault::new(ErrorCode::Conflict, message).with_reason("idempotency_key_in_use");
    fault.retry_after_ms = Some(RETRY_AFTER_MS);
    fault
}

/// At least one: for Postgres, zero means without end.
fn milliseconds(wait: Duration) -> Value {
    i32::try_from(wait.as_millis()).unwrap_or(i32::MAX).max(1).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_key_stands_for_the_body_and_the_version_it_is_based_on() {
        let body = json!({ "b": 1, "a": 2 });
        assert_eq!(hash(body.clone(), Some(1)), hash(json!({ "a": 2, "b": 1 }), Some(1)));
        assert_ne!(hash(body.clone(), Some(1)), hash(body.clone(), Some(2)));
        assert_ne!(hash(body.clone(), Some(1)), hash(body, None));
    }

    #[test]
    fn only_what_the_domain_has_decided_is_stored() {
        for stored in [ErrorCode::Conflict, ErrorCode::Unprocessable, ErrorCode::BadRequest] {
            assert!(is_stored(&Fault::new(stored, "")), "{stored:?}");
        }
        for passing in [
            ErrorCode::Forbidden,
            ErrorCode::NotFound,
            ErrorCode::PreconditionFailed,
            ErrorCode::PreconditionRequired,
            ErrorCode::RateLimited,
            ErrorCode::Unauthenticated,
            ErrorCode::Internal,
            ErrorCode::Unavailable,
        ] {
            assert!(!is_stored(&Fault::new(passing, "")), "{passing:?}");
        }
    }
}
