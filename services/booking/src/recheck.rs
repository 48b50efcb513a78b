//! Provisional bookings, checked with the vendor service as soon as it answers again.

use crate::Cx;
use crate::app::BookingApp;
use crate::domain::offer::Period;
use crate::entity::bookings;
use crate::repo::bookings::Change;
use crate::vendor_calls::{self, Question};
use crate::{clock, convert, repo};
use platform::Run;
use std::time::Duration;
use store::HasStore as _;
use subjects::booking::{
    ActorKind, Attention, BookingError, BookingNeedsAttention, BookingState, BookingUpdated, ChangeKind,
};
use subjects::ids::BookingId;
use tokio::time::MissedTickBehavior;

/// How many bookings are read at a time.
const BATCH: u64 = 100;
/// How long checking one booking may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Checks what waits, every so often, until the service drains.
pub async fn run(run: Run<BookingApp>) {
    let mut ticks = tokio::time::interval(run.app.config.recheck_interval());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = run.shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = check_waiting(&run).await {
            tracing::warn!(error = %error, "could not check the provisional bookings");
        }
    }
}

/// Checks every provisional booking, or as many as there are until vendor does not answer.
async fn check_waiting(run: &Run<BookingApp>) -> Result<(), BookingError> {
    let mut last_seen: Option<BookingId> = None;
    loop {
        let rows = repo::bookings::waiting_for_check(run.app.store().read(), last_seen, BATCH).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        last_seen = Some(last.id);
        for row in rows {
            if run.shutdown.is_cancelled() {
                return Ok(());
            }
            let cx = run.cx("booking.recheck", TIMEOUT);
            match misfit(&cx, &row).await {
                Ok(attention) => settle(&cx, row.id, row.version, attention).await?,
                // It is still away: the others would only wait for it too.
                Err(BookingError::Fault(fault)) if vendor_calls::is_away(&fault) => return Ok(()),
                // One booking that cannot be checked must not keep the others from it.
                Err(error) => {
                    tracing::warn!(booking.id = %row.id, error = %error, "could not check a provisional booking");
                }
            }
        }
    }
}

/// Why a booking does not fit what vendor says now; nothing where it does.
async fn misfit(cx: &Cx, row: &bookings::Model) -> Result<Option<Attention>, BookingError> {
    let question = Question::at(row.service_id, Some(row.staff_id), row.starts_at);
    let limit = cx.app.config.vendor_timeout();
    match vendor_calls::from_vendor(cx, question, limit).await {
        Ok(offer) => {
            // The visit as it was booked, however long the service takes by now.
            let Period { blocked_from, blocked_to, .. } = offer.period(row.starts_at);
            let booked = Period { starts_at: row.starts_at, ends_at: row.ends_at, blocked_from, blocked_to };
            Ok(offer.misfit(row.staff_id, &booked))
        }
        Err(BookingError::ServiceNotFound) => Ok(Some(Attention::ServiceRemoved)),
        Err(BookingError::StaffUnsuitable) => Ok(Some(Attention::StaffRemoved)),
        Err(BookingError::VendorUnavailable) => Ok(Some(Attention::VendorInactive)),
        Err(error) => Err(error),
    }
}

/// Stores the result of a check, unless the booking has changed since.
async fn settle(cx: &Cx, id: BookingId, version: i64, attention: Option<Attention>) -> Result<(), BookingError> {
    let settled = cx.app.store().write(cx, |tx| async move {
        let Some(mut row) = repo::bookings::lock(&tx, id).await? else { return Ok(()) };
        if row.version != version || !row.needs_check {
            return Ok(());
        }
        row.version += 1;
        row.updated_at = clock::now();
        row.needs_check = false;
        row.attention = attention;
        let kind = if attention.is_some() { ChangeKind::NeedsAttention } else { ChangeKind::Checked };
        let change = Change { kind, actor: ActorKind::System, actor_id: None, reason: None };
        repo::bookings::save(&tx, &row, change).await?;
        let booking = convert::booking(row)?;
        let state = BookingState::from(&booking);
        if attention.is_some() {
            tx.emit(&BookingNeedsAttention(state)).await?;
        } else {
            tx.emit(&BookingUpdated(state)).await?;
        }
        Ok(())
    });
    settled.await
}
