//! Claims that nobody wanted after they expired: unconfirmed bookings are cancelled, holds dropped. Every replica sweeps;
//! what one works on the others pass over.

use crate::app::BookingApp;
use crate::repo::bookings::Change;
use crate::{Cx, convert, repo};
use platform::Run;
use std::time::Duration;
use store::{HasStore as _, Tx};
use subjects::booking::{ActorKind, BookingCancelled, BookingError, BookingState, BookingStatus, ChangeKind};

/// How many bookings are cancelled in one transaction.
const BOOKINGS: u64 = 50;
/// How many holds are dropped in one transaction.
const HOLDS: i32 = 500;
/// How long a transaction may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Sweeps every so often, until the service drains.
pub async fn run(run: Run<BookingApp>) {
    run.every(run.app.config.expiry_interval(), "sweep what has expired", || sweep(&run)).await;
}

/// Sweeps batch by batch until one is not full.
async fn sweep(run: &Run<BookingApp>) -> Result<(), BookingError> {
    while !run.shutdown.is_cancelled() && cancel_unconfirmed(&run.cx("booking.expiry", TIMEOUT)).await? == BOOKINGS {}
    while !run.shutdown.is_cancelled() && drop_holds(&run.cx("hold.expiry", TIMEOUT)).await? == HOLDS {}
    Ok(())
}

async fn drop_holds(cx: &Cx) -> Result<i32, BookingError> {
    cx.app.store().write(cx, |tx| async move { Ok(repo::holds::release_expired(&tx, HOLDS).await?) }).await
}

/// Cancels some bookings that were not confirmed in time, and answers how many.
async fn cancel_unconfirmed(cx: &Cx) -> Result<u64, BookingError> {
    cx.app.store().write(cx, |tx| async move { cancel_batch(&tx).await }).await
}

async fn cancel_batch(tx: &Tx) -> Result<u64, BookingError> {
    let rows = repo::bookings::lock_expired(tx, BOOKINGS).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    repo::claims::lock_staff(tx, rows.iter().map(|row| row.staff_id)).await?;
    let mut cancelled = 0;
    for mut row in rows {
        // One row that cannot be read must not keep the others from their end.
        if let Err(fault) = convert::booking_without_texts(row.clone()) {
            tracing::error!(booking.id = %row.id, error = %fault, "an expired booking cannot be read");
            continue;
        }
        row.status = BookingStatus::Cancelled;
        row.version += 1;
        row.updated_at = store::now();
        row.needs_check = false;
        row.schedule_changed = false;
        row.attention = None;
        // It keeps the time at which it expired, by which whoever confirms it too late learns why it is cancelled.
        let freed_session = row.session_id.take();
        let change = Change { kind: ChangeKind::Expired, actor: ActorKind::System, actor_id: None, reason: None };
        repo::bookings::save(tx, &row, change).await?;
        if let Some(session_id) = freed_session {
            repo::claims::release(tx, session_id).await?;
        }
        let booking = convert::booking_without_texts(row)?;
        tx.emit(&BookingCancelled(BookingState::from(&booking))).await?;
        cancelled += 1;
    }
    Ok(cancelled)
}
