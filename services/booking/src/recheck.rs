//! Provisional bookings, checked with the vendor service as soon as it answers again.

use crate::Cx;
use crate::app::BookingApp;
use crate::domain::offer::Period;
use crate::entity::bookings;
use crate::repo::bookings::Change;
use crate::vendor_calls::{self, Question};
use crate::{convert, repo};
use platform::Run;
use std::time::Duration;
use store::HasStore as _;
use subjects::booking::{
    ActorKind, Attention, BookingError, BookingNeedsAttention, BookingState, BookingUpdated, ChangeKind,
};
use subjects::ids::BookingId;
use subjects::time::Instant;

/// How many bookings are read at a time.
const BATCH: u64 = 100;
/// How long checking one booking may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Checks what waits, every so often, until the service drains.
pub async fn run(run: Run<BookingApp>) {
    run.every(run.app.config.recheck_interval(), "check the provisional bookings", || check_waiting(&run)).await;
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
            let heard_at = repo::claims::schedule_changed_at(run.app.store().read(), row.vendor_id).await?;
            match finding(&cx, &row).await {
                Ok(finding) => settle(&cx, &row, heard_at, finding).await?,
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

/// What a check has shown.
#[derive(Debug, Clone, Copy)]
enum Finding {
    /// The booking fits the schedule of this version.
    Fits(i64),
    /// It does not.
    Misfit(Attention),
}

/// Whether a booking fits what vendor says now.
async fn finding(cx: &Cx, row: &bookings::Model) -> Result<Finding, BookingError> {
    let question = Question::at(row.service_id, Some(row.staff_id), row.starts_at);
    let limit = cx.app.config.vendor_timeout();
    match vendor_calls::from_vendor(cx, question, limit).await {
        Ok(offer) => {
            // The visit as it was booked, however long the service takes by now.
            let Period { blocked_from, blocked_to, .. } = offer.period(row.starts_at);
            let booked = Period { starts_at: row.starts_at, ends_at: row.ends_at, blocked_from, blocked_to };
            let misfit = offer.misfit(row.staff_id, &booked);
            Ok(misfit.map_or(Finding::Fits(offer.schedule_version), Finding::Misfit))
        }
        Err(BookingError::ServiceNotFound) => Ok(Finding::Misfit(Attention::ServiceRemoved)),
        Err(BookingError::StaffUnsuitable) => Ok(Finding::Misfit(Attention::StaffRemoved)),
        Err(BookingError::VendorUnavailable) => Ok(Finding::Misfit(Attention::VendorInactive)),
        Err(error) => Err(error),
    }
}

/// Stores the result of a check, unless the booking has changed since. What vendor said is newer than all that had been
/// heard of its schedule when it was asked: unless there is more by now, nothing is left to be looked at.
async fn settle(
    cx: &Cx,
    checked: &bookings::Model,
    heard_at: Option<Instant>,
    finding: Finding,
) -> Result<(), BookingError> {
    let settled = cx.app.store().write(cx, |tx| async move {
        repo::claims::share_schedule(&tx, checked.vendor_id).await?;
        let is_latest = repo::claims::schedule_changed_at(&tx, checked.vendor_id).await? == heard_at;
        let Some(mut row) = repo::bookings::lock(&tx, checked.id).await? else { return Ok(()) };
        if row.version != checked.version || !row.needs_check {
            return Ok(());
        }
        row.schedule_changed = row.schedule_changed && !is_latest;
        row.version += 1;
        row.updated_at = store::now();
        row.needs_check = false;
        let kind = match finding {
            Finding::Fits(schedule_version) => {
                row.schedule_version = schedule_version;
                row.attention = None;
                ChangeKind::Checked
            }
            Finding::Misfit(attention) => {
                row.attention = Some(attention);
                ChangeKind::NeedsAttention
            }
        };
        let change = Change { kind, actor: ActorKind::System, actor_id: None, reason: None };
        repo::bookings::save(&tx, &row, change).await?;
        let booking = convert::booking_without_texts(row)?;
        let state = BookingState::from(&booking);
        match finding {
            Finding::Fits(_) => tx.emit(&BookingUpdated(state)).await?,
            Finding::Misfit(_) => tx.emit(&BookingNeedsAttention(state)).await?,
        }
        Ok(())
    });
    settled.await
}
