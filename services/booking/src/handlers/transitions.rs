//! `booking.confirm`, `booking.complete`, `booking.noShow` and `booking.cancel`.

use crate::domain::status::{self, Action, Outcome, Standing};
use crate::entity::bookings;
use crate::repo::bookings::Change;
use crate::repo::offers::money;
use crate::texts::{self, Field};
use crate::{Cx, access, repo};
use store::HasStore as _;
use subjects::Fault;
use subjects::booking::{
    ActorKind, Booking, BookingCancelled, BookingCompleted, BookingConfirmed, BookingError, BookingNoShow,
    BookingState, CancelBooking, ChangeKind, CompleteBooking, ConfirmBooking, MarkNoShow,
};
use subjects::ids::BookingId;
use subjects::time::Instant;

/// The clinic expects the visit.
pub async fn confirm(cx: Cx, request: ConfirmBooking) -> Result<Booking, BookingError> {
    act(&cx, request.id, Action::Confirm, None).await
}

/// The visit took place.
pub async fn complete(cx: Cx, request: CompleteBooking) -> Result<Booking, BookingError> {
    act(&cx, request.id, Action::Complete, None).await
}

/// Nobody came.
pub async fn no_show(cx: Cx, request: MarkNoShow) -> Result<Booking, BookingError> {
    act(&cx, request.id, Action::MarkNoShow, None).await
}

/// It is called off.
pub async fn cancel(cx: Cx, request: CancelBooking) -> Result<Booking, BookingError> {
    act(&cx, request.id, Action::Cancel, request.reason).await
}

async fn act(cx: &Cx, id: BookingId, action: Action, reason: Option<String>) -> Result<Booking, BookingError> {
    let reason = &texts::seal_added(cx, id, Field::Reason, reason.as_ref()).await?;
    let done = cx.app.store().write(cx, |tx| async move {
        let mut row = repo::bookings::lock(&tx, id).await?.ok_or(BookingError::BookingNotFound)?;
        let actor = access::actor(&tx, cx.caller(), &row).await?;
        let now = store::now();
        let status = match status::decide(standing(&row), action, actor.kind, now)? {
            Outcome::StaysAsItIs => return Ok(texts::booking(&cx.app, &tx, row).await?),
            Outcome::Changes(status) => status,
        };
        store::expect_version_if_given(cx.meta().if_match, row.version)?;

        let freed_session = if action == Action::Cancel {
            row.fee_amount = row.fee_amount.saturating_add(cancel_fee(&row, actor.kind, now)?);
            row.cancel_reason = reason.clone();
            row.needs_check = false;
            row.schedule_changed = false;
            row.session_id.take()
        } else {
            None
        };
        row.status = status;
        row.expires_at = None;
        row.version += 1;
        row.updated_at = now;
        // Whatever the clinic decides, it has looked at it.
        row.attention = None;
        let change =
            Change { kind: kind_of(action), actor: actor.kind, actor_id: Some(actor.user_id), reason: reason.clone() };
        repo::bookings::save(&tx, &row, change).await?;
        if let Some(session_id) = freed_session {
            repo::claims::release(&tx, session_id).await?;
        }
        let booking = texts::booking(&cx.app, &tx, row).await?;
        let state = BookingState::from(&booking);
        match action {
            Action::Confirm => tx.emit(&BookingConfirmed(state)).await?,
            Action::Complete => tx.emit(&BookingCompleted(state)).await?,
            Action::MarkNoShow => tx.emit(&BookingNoShow(state)).await?,
            Action::Cancel => tx.emit(&BookingCancelled(state)).await?,
        };
        Ok(booking)
    });
    done.await
}

/// What cancelling it costs: nothing where nobody confirmed it in time, or where the clinic's schedule has changed under
/// it.
fn cancel_fee(row: &bookings::Model, actor: ActorKind, now: Instant) -> Result<i64, Fault> {
    if actor != ActorKind::Customer || standing(row).has_expired(now) || row.attention.is_some() {
        return Ok(0);
    }
    let price = money(row.price_amount, &row.price_currency)?;
    Ok(row.policy.0.cancel_fee(price, row.starts_at, now).amount)
}

/// What the rules need to know of a row.
pub fn standing(row: &bookings::Model) -> Standing {
    Standing {
        status: row.status,
        starts_at: row.starts_at,
        needs_check: row.needs_check,
        holds_its_time: row.session_id.is_some(),
        expires_at: row.expires_at,
    }
}

fn kind_of(action: Action) -> ChangeKind {
    match action {
        Action::Confirm => ChangeKind::Confirmed,
        Action::Complete => ChangeKind::Completed,
        Action::MarkNoShow => ChangeKind::NoShow,
        Action::Cancel => ChangeKind::Cancelled,
    }
}
