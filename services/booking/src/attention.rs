//! Bookings under which the schedule has changed, looked at again: those that no longer fit are brought to the clinic's
//! attention, and those that fit again are taken off it. Their status stays.

use crate::app::BookingApp;
use crate::domain::offer::Period;
use crate::domain::schedule::{Known, Schedule};
use crate::entity::bookings;
use crate::repo::bookings::Change;
use crate::vendor_calls::Question;
use crate::{convert, repo};
use platform::Run;
use std::collections::BTreeSet;
use std::time::Duration;
use store::{HasStore as _, Tx};
use subjects::Fault;
use subjects::booking::{ActorKind, Attention, BookingNeedsAttention, BookingState, BookingUpdated, ChangeKind};
use subjects::ids::{BookingId, ServiceId, StaffId};
use subjects::time::Instant;

/// How many bookings are looked at in one transaction.
const BATCH: u64 = 100;
/// How long one transaction may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Looks at what is marked, every so often, until the service drains. Several replicas share the work.
pub async fn run(run: Run<BookingApp>) {
    run.every(run.app.config.recheck_interval(), "look at the bookings whose schedule changed", || {
        look_at_marked(&run)
    })
    .await;
}

async fn look_at_marked(run: &Run<BookingApp>) -> Result<(), Fault> {
    while !run.shutdown.is_cancelled() {
        let cx = run.cx("booking.attention", TIMEOUT);
        let looked_at: Result<u64, Fault> =
            run.app.store().write(&cx, |tx| async move { look_at_batch(&tx).await }).await;
        if looked_at? < BATCH {
            break;
        }
    }
    Ok(())
}

/// Looks at some bookings, and tells how many there were. They are held first and the schedule is read then: whoever
/// changes it later waits for the bookings, and marks them again.
async fn look_at_batch(tx: &Tx) -> Result<u64, Fault> {
    let rows = repo::schedule_changes::lock_marked(tx, BATCH).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let service_ids: BTreeSet<ServiceId> = rows.iter().map(|row| row.service_id).collect();
    let staff_ids: BTreeSet<StaffId> = rows.iter().map(|row| row.staff_id).collect();
    let schedule = repo::schedule::of_bookings(tx, service_ids, staff_ids).await?;
    let now = store::now();
    let count = rows.len().try_into().map_err(Fault::internal)?;
    let mut unchanged: Vec<BookingId> = Vec::new();
    for row in rows {
        match look(&schedule, &row, now) {
            Some(found) if found != row.attention => settle(tx, row, found, now).await?,
            _ => unchanged.push(row.id),
        }
    }
    repo::schedule_changes::unmark(tx, &unchanged).await?;
    Ok(count)
}

/// Why a booking does not fit the schedule as it is known, if anything; none where that cannot be told.
fn look(schedule: &Schedule, row: &bookings::Model, now: Instant) -> Option<Option<Attention>> {
    if row.ends_at <= now {
        return None;
    }
    let Question { service_id, first, last, .. } = Question::at(row.service_id, None, row.starts_at);
    match schedule.known(service_id, Some(row.staff_id), first, last) {
        Known::Removed => Some(Some(Attention::ServiceRemoved)),
        Known::Offer(offer) if offer.schedule_version >= row.schedule_version => {
            // The visit as it was booked, however long the service takes by now.
            let Period { blocked_from, blocked_to, .. } = offer.period(row.starts_at);
            let booked = Period { starts_at: row.starts_at, ends_at: row.ends_at, blocked_from, blocked_to };
            Some(offer.misfit(row.staff_id, &booked))
        }
        // It was booked on something that has not been heard yet. When it is, the booking is marked again.
        Known::Offer(_) | Known::Unknown => None,
    }
}

async fn settle(tx: &Tx, mut row: bookings::Model, attention: Option<Attention>, now: Instant) -> Result<(), Fault> {
    row.version += 1;
    row.updated_at = now;
    row.schedule_changed = false;
    row.attention = attention;
    let kind = if attention.is_some() { ChangeKind::NeedsAttention } else { ChangeKind::Checked };
    let change = Change { kind, actor: ActorKind::System, actor_id: None, reason: None };
    repo::bookings::save(tx, &row, change).await?;
    let booking = convert::booking_without_texts(row)?;
    let state = BookingState::from(&booking);
    if attention.is_some() {
        tx.emit(&BookingNeedsAttention(state)).await
    } else {
        tx.emit(&BookingUpdated(state)).await
    }
}
