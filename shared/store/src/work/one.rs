//! One event in a transaction of its own, and what becomes of it.

use super::consume::Consumer;
use super::failure::{chain, is_passing};
use super::handler::Work;
use super::inbox;
use super::incoming::Incoming;
use crate::dead_letters::{self, Parking};
use crate::error::Error;
use futures::FutureExt as _;
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use subjects::Fault;
use subjects::ops::DeadLetterReason;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

/// How long a handler may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(20);

/// What became of an event.
pub(super) enum Ending {
    /// It is dealt with.
    Done,
    /// It is a dead letter, now or from before.
    Parked,
    /// It was not dealt with, and that is worth another try.
    Again,
}

/// What a transaction came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Committed {
    Handled,
    /// It had been dealt with before.
    Repeated,
    /// It was parked behind an earlier event of its aggregate.
    Behind,
}

/// Handles an event, or parks it where that is hopeless.
pub(super) async fn handle(consumer: &Consumer, incoming: &Incoming) -> Ending {
    let span = consumer.span(incoming);
    handle_in_span(consumer, incoming).instrument(span).await
}

async fn handle_in_span(consumer: &Consumer, incoming: &Incoming) -> Ending {
    let work = match consumer.handler.prepare(incoming) {
        Ok(work) => work,
        Err(error) => return park(consumer, incoming, DeadLetterReason::Unreadable, &error, 1).await,
    };
    let handled = AssertUnwindSafe(in_transaction(consumer, incoming, &work)).catch_unwind().await;
    let fault = match handled.unwrap_or_else(|_panic| Err(Fault::internal("the handler panicked"))) {
        Ok(committed) => {
            consumer.failures.forget(incoming);
            consumer.count(match committed {
                Committed::Handled => "handled",
                Committed::Repeated => "repeated",
                Committed::Behind => "parked",
            });
            if committed == Committed::Behind {
                consumer.parked(incoming, DeadLetterReason::Behind, dead_letters::BEHIND);
                return Ending::Parked;
            }
            return Ending::Done;
        }
        Err(fault) => fault,
    };
    let error = chain(&fault);
    consumer.count("failed");
    if is_passing(&fault) {
        tracing::warn!(error, "an event could not be handled now, it will come again");
        return Ending::Again;
    }
    let failures = consumer.failures.add(incoming);
    if !fault.code.is_ours() {
        return park(consumer, incoming, DeadLetterReason::Refused, &error, failures).await;
    }
    if failures >= consumer.handler.settings.attempts {
        return park(consumer, incoming, DeadLetterReason::Exhausted, &error, failures).await;
    }
    tracing::warn!(attempt = failures, error, "an event was not handled, it will come again");
    Ending::Again
}

async fn in_transaction(consumer: &Consumer, incoming: &Incoming, work: &Work) -> Result<Committed, Fault> {
    let deadline = Instant::now() + TIMEOUT;
    let origin = consumer.origins.origin(incoming);
    let handler = &consumer.handler;
    let handling = consumer.store.transaction(&origin, deadline, |tx| async move {
        let in_order = incoming.aggregate_id.filter(|_| handler.declaration.ordered);
        if !inbox::enter(&tx, handler.name(), incoming, in_order).await? {
            return Ok(Committed::Repeated);
        }
        if let Some(aggregate_id) = in_order
            && !dead_letters::which_have_any(&tx, handler.name(), &HashSet::from([aggregate_id])).await?.is_empty()
        {
            dead_letters::insert(&tx, handler.name(), incoming, &Parking::behind()).await?;
            return Ok(Committed::Behind);
        }
        work(tx.clone()).await?;
        Ok(Committed::Handled)
    });
    timeout_at(deadline, handling).await.unwrap_or_else(|_elapsed| Err(Fault::deadline_exceeded()))
}

/// Parks an event: the dead letter and the inbox row are one transaction.
pub(super) async fn park(
    consumer: &Consumer,
    incoming: &Incoming,
    reason: DeadLetterReason,
    error: &str,
    attempts: u32,
) -> Ending {
    let handler = &consumer.handler;
    let parking = Parking { reason, error, attempts };
    let parking = &parking;
    let deadline = Instant::now() + TIMEOUT;
    let origin = consumer.origins.origin(incoming);
    let parked = consumer.store.transaction(&origin, deadline, |tx| async move {
        let in_order = incoming.aggregate_id.filter(|_| handler.declaration.ordered);
        let is_new = inbox::enter(&tx, handler.name(), incoming, in_order).await?;
        if is_new {
            dead_letters::insert(&tx, handler.name(), incoming, parking).await?;
        }
        Ok::<bool, Fault>(is_new)
    });
    let parked = timeout_at(deadline, parked).await.unwrap_or_else(|_elapsed| Err(Fault::deadline_exceeded()));
    match parked {
        Ok(is_new) => {
            consumer.failures.forget(incoming);
            if is_new {
                consumer.count("parked");
                consumer.parked(incoming, reason, error);
            } else {
                consumer.count("repeated");
            }
            Ending::Parked
        }
        Err(fault) => {
            tracing::warn!(error = chain(&fault), "an event could not be parked now, it will come again");
            Ending::Again
        }
    }
}

/// Whether the database answers: where it does not, no event is worth a try.
pub(super) async fn database_answers(consumer: &Consumer) -> bool {
    let pinged: Result<Result<(), Error>, _> =
        tokio::time::timeout(Duration::from_secs(2), consumer.store.ping()).await;
    matches!(pinged, Ok(Ok(())))
}
