//! Answers kept under idempotency keys.

use crate::error::Error;
use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use std::time::Duration;
use subjects::{ErrorCode, Fault};

/// After how long a caller should try again whose key is in use.
const RETRY_AFTER_MS: u64 = 1_000;

/// A request under a key.
pub(crate) struct Claim<'a> {
    scope: String,
    subject: &'static str,
    key: &'a str,
    body_hash: Vec<u8>,
}

impl<'a> Claim<'a> {
    pub(crate) fn new(
        scope: String,
        subject: &'static str,
        key: &'a str,
        request: &impl Serialize,
    ) -> Result<Claim<'a>, Fault> {
        let body = serde_json::to_vec(request).map_err(Fault::internal)?;
        Ok(Claim { scope, subject, key, body_hash: Sha256::digest(&body).to_vec() })
    }
}

#[derive(FromQueryResult)]
struct Stored {
    body_hash: Vec<u8>,
    status: String,
    reply: serde_json::Value,
}

/// What is stored under the key; waits for whoever works under it, for as long as `wait`.
pub(crate) async fn look_up<T: DeserializeOwned>(
    db: &impl ConnectionTrait,
    claim: &Claim<'_>,
    wait: Duration,
) -> Result<Option<Result<T, Fault>>, Fault> {
    let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX).max(1);
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "select body_hash, status, reply from claim_idempotency_key($1, $2, $3, $4)",
        [claim.scope.as_str().into(), claim.subject.into(), claim.key.into(), wait_ms.into()],
    );
    let found = Stored::find_by_statement(statement).one(db).await.map_err(Error::from);
    let stored = match found {
        Ok(Some(stored)) => stored,
        Ok(None) => return Ok(None),
        Err(error) if error.is_lock_timeout() => {
            let mut fault = Fault::new(ErrorCode::Conflict, "the first request under this key is still being worked on")
                .with_reason("idempotency_key_in_use");
            fault.retry_after_ms = Some(RETRY_AFTER_MS);
            return Err(fault);
        }
        Err(error) => return Err(error.into()),
    };
    if stored.body_hash != claim.body_hash {
        return Err(Fault::new(ErrorCode::Unprocessable, "this key was used before with another request")
            .with_reason("idempotency_key_reused"));
    }
    if stored.status == "refused" {
        let fault: Fault = serde_json::from_value(stored.reply).map_err(Fault::internal)?;
        return Ok(Some(Err(fault)));
    }
    Ok(Some(Ok(serde_json::from_value(stored.reply).map_err(Fault::internal)?)))
}

/// Whether a refusal is an answer, rather than a sign of overload or a fault of ours.
pub(crate) fn is_worth_keeping(fault: &Fault) -> bool {
    !fault.code.is_ours() && fault.code != ErrorCode::RateLimited && fault.code != ErrorCode::Unauthenticated
}

pub(crate) async fn keep_reply(
    db: &impl ConnectionTrait,
    claim: &Claim<'_>,
    reply: &impl Serialize,
) -> Result<(), Error> {
    keep(db, claim, "replied", reply).await
}

pub(crate) async fn keep_refusal(db: &impl ConnectionTrait, claim: &Claim<'_>, fault: &Fault) -> Result<(), Error> {
    keep(db, claim, "refused", fault).await
}

async fn keep(
    db: &impl ConnectionTrait,
    claim: &Claim<'_>,
    status: &str,
    reply: &impl Serialize,
) -> Result<(), Error> {
    let reply = serde_json::to_value(reply).map_err(|error| Error::Unreadable(error.to_string()))?;
    let statement = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "insert into idempotency_keys (scope, subject, key, body_hash, status, reply) values ($1, $2, $3, $4, $5, $6)",
        [
            claim.scope.as_str().into(),
            claim.subject.into(),
            claim.key.into(),
            claim.body_hash.clone().into(),
            status.into(),
            reply.into(),
        ],
    );
    db.execute_raw(statement).await?;
    Ok(())
}
