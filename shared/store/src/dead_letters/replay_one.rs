//! One dead letter, handled again.

use super::find::Key;
use super::letter::{COLUMNS, Letter as Row};
use super::park::error_text;
use crate::error::Error;
use crate::outbox::Origin;
use crate::query::statement;
use crate::store::Store;
use crate::tx::Tx;
use crate::work::{Handler, Origins, chain, is_passing, lock_aggregates};
use futures::FutureExt as _;
use platform::Audited;
use sea_orm::ConnectionTrait as _;
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use subjects::Fault;
use subjects::ops::DeadLetterReason;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

/// How long a handler may take.
const TIMEOUT: Duration = Duration::from_secs(20);

const DELETE: &str = "delete from dead_letters where handler = $1 and event_id = $2";

const NOTE_FAILURE: &str = "update dead_letters set attempts = attempts + 1, error = $3, reason = $4 \
                            where handler = $1 and event_id = $2";

const IS_BEHIND: &str = "select from dead_letters where handler = $1 and aggregate_id = $2 \
                         and (parked_at, event_id) < ($3, $4) limit 1";

/// A dead letter that may be there.
pub(super) struct Letter {
    pub key: Key,
    pub aggregate_id: Option<Uuid>,
}

impl Letter {
    pub(super) fn is_of_the_same_aggregate(&self, other: &Letter) -> bool {
        self.key.1 == other.key.1 && self.aggregate_id.is_some() && self.aggregate_id == other.aggregate_id
    }
}

/// What became of it.
pub(super) enum Ending {
    /// It was handled and is no dead letter any more; in a dry run, would be.
    Replayed,
    /// It is not there, somebody else has it, or it is behind another one.
    NotNow,
    /// It failed, with this error, and stays.
    Failed(String),
}

/// Why a transaction was not committed.
enum Stop {
    NotNow,
    WouldSucceed,
    Unreadable(String),
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Stop {
        Stop::Fault(fault)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Fault(error.into())
    }
}

/// An error: the database is away.
pub(super) async fn replay_one(
    store: &Store,
    letter: &Letter,
    dry_run: bool,
    audited: Option<&Audited>,
) -> Result<Ending, Fault> {
    let (_, name, event_id) = &letter.key;
    let Some(handler) = store.inner().handlers.find(name) else {
        return Ok(Ending::Failed("this replica has no such handler".to_owned()));
    };
    let deadline = Instant::now() + TIMEOUT;
    let (handler, origin) = (&handler, Origin::default());
    let replaying = store.transaction(&origin, deadline, |tx| in_transaction(tx, handler, letter, dry_run, audited));
    let replaying = AssertUnwindSafe(timeout_at(deadline, replaying)).catch_unwind().await;
    let replayed = match replaying {
        Ok(Ok(replayed)) => replayed,
        Ok(Err(_elapsed)) => Err(Fault::deadline_exceeded().into()),
        Err(_panic) => Err(Fault::internal("the handler panicked").into()),
    };
    let (reason, error) = match replayed {
        Ok(()) => {
            tracing::info!(handler = name, event.id = %event_id, "a dead letter was handled");
            return Ok(Ending::Replayed);
        }
        Err(Stop::WouldSucceed) => return Ok(Ending::Replayed),
        Err(Stop::NotNow) => return Ok(Ending::NotNow),
        Err(Stop::Unreadable(error)) => (DeadLetterReason::Unreadable, error),
        Err(Stop::Fault(fault)) if is_passing(&fault) => {
            store.ping().await?;
            return Ok(Ending::Failed(chain(&fault)));
        }
        Err(Stop::Fault(fault)) if fault.code.is_ours() => (DeadLetterReason::Exhausted, chain(&fault)),
        Err(Stop::Fault(fault)) => (DeadLetterReason::Refused, chain(&fault)),
    };
    if !dry_run {
        let values = vec![name.as_str().into(), (*event_id).into(), error_text(&error).into(), reason.as_str().into()];
        store.read().execute_raw(statement(NOTE_FAILURE, values)).await.map_err(Error::from)?;
    }
    Ok(Ending::Failed(error))
}

async fn in_transaction(
    tx: Tx,
    handler: &Handler,
    letter: &Letter,
    dry_run: bool,
    audited: Option<&Audited>,
) -> Result<(), Stop> {
    let (_, name, event_id) = &letter.key;
    let in_order = letter.aggregate_id.filter(|_| handler.declaration.ordered);
    if let Some(aggregate_id) = in_order {
        lock_aggregates(&tx, name, &HashSet::from([aggregate_id])).await?;
    }
    let sql = format!("select {COLUMNS} from dead_letters where handler = $1 and event_id = $2 for update skip locked");
    let asking = statement(&sql, vec![name.as_str().into(), (*event_id).into()]);
    let row = tx.query_one_raw(asking).await.map_err(Error::from)?.ok_or(Stop::NotNow)?;
    let row = Row::read(&row)?;
    if let Some(aggregate_id) = in_order {
        let values = vec![name.as_str().into(), aggregate_id.into(), row.parked_at.into(), row.event_id.into()];
        let earlier = tx.query_one_raw(statement(IS_BEHIND, values)).await.map_err(Error::from)?;
        if earlier.is_some() {
            return Err(Stop::NotNow);
        }
    }
    let incoming = row.incoming();
    let work = handler.prepare(&incoming).map_err(Stop::Unreadable)?;
    tx.now_for(Origins::of(&handler.declaration).origin(&incoming));
    work(tx.clone()).await?;
    let deleting = statement(DELETE, vec![name.as_str().into(), (*event_id).into()]);
    tx.execute_raw(deleting).await.map_err(Error::from)?;
    if dry_run {
        return Err(Stop::WouldSucceed);
    }
    // Of several at the same time one writes it.
    tx.audit_done(audited);
    Ok(())
}
