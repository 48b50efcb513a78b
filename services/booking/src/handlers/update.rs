//! `booking.update`: another time, staff member or notes.

use super::transitions::standing;
use crate::domain::offer::Period;
use crate::domain::status;
use crate::entity::bookings;
use crate::repo::bookings::Change;
use crate::repo::claims::{self, Wanted};
use crate::repo::offers::money;
use crate::texts::{self, Field};
use crate::vendor_calls::{self, Question};
use crate::{Cx, access, repo};
use store::HasStore as _;
use subjects::booking::{
    ActorKind, Booking, BookingError, BookingState, BookingStatus, BookingUpdated, ChangeKind, UpdateBooking,
};
use subjects::ids::{ServiceId, StaffId, VendorId};
use subjects::time::Instant;

/// Where a booking is to move.
struct Move {
    vendor_id: VendorId,
    service_id: ServiceId,
    /// Those who could take it, the preferred one first.
    candidates: Vec<StaffId>,
    /// Those of them whom a customer may choose, or why there are none.
    slot_candidates: Result<Vec<StaffId>, BookingError>,
    period: Period,
    capacity: u16,
    schedule_version: i64,
    provisional: bool,
}

/// Replaces time, staff member and notes of a booking.
pub async fn update(cx: Cx, request: UpdateBooking) -> Result<Booking, BookingError> {
    let expected_version = cx.expected_version()?;
    // As with a new booking: a refusal is only given inside.
    let prepared = prepare(&cx, &request).await;
    let sealed_notes = texts::seal_added(&cx, request.id, Field::Notes, request.notes.as_ref()).await;
    let (prepared, sealed_notes, request, cx) = (&prepared, &sealed_notes, &request, &cx);
    let updated = cx.app.store().keyed(cx, request, |tx| async move {
        let target = prepared.as_ref().map_err(Clone::clone)?;
        if let Some(target) = target {
            claims::share_schedule(&tx, target.vendor_id).await?;
        }
        let mut row = repo::bookings::lock(&tx, request.id).await?.ok_or(BookingError::BookingNotFound)?;
        let actor = access::actor(&tx, cx.caller(), &row).await?;
        store::expect_version(expected_version, row.version)?;
        let now = store::now();
        status::may_be_updated(standing(&row), actor.kind, now)?;

        let key = texts::key_of(&cx.app, &tx, &row).await?;
        let notes = texts::open(key.as_ref(), row.id, Field::Notes, row.notes.clone());
        let kind = match target {
            Some(target) => {
                move_to(&tx, &mut row, target, actor.kind, now).await?;
                ChangeKind::Rescheduled
            }
            None if notes == request.notes => return Ok(texts::booking(&cx.app, &tx, row).await?),
            None => ChangeKind::NotesChanged,
        };
        // The same text sealed anew would look like another one.
        if notes != request.notes {
            row.notes = sealed_notes.clone()?;
        }
        row.version += 1;
        row.updated_at = now;
        let change = Change { kind, actor: actor.kind, actor_id: Some(actor.user_id), reason: None };
        repo::bookings::save(&tx, &row, change).await?;
        let booking = texts::booking(&cx.app, &tx, row).await?;
        tx.emit(&BookingUpdated(BookingState::from(&booking))).await?;
        Ok(booking)
    });
    updated.await
}

/// Where the booking is to move, or nothing when time and staff member stay. What is decided here on the row as it
/// is now holds inside as well: there the row has the version that the caller expects, or the request is refused.
async fn prepare(cx: &Cx, request: &UpdateBooking) -> Result<Option<Move>, BookingError> {
    let db = cx.app.store().read();
    let row = repo::bookings::find(db, request.id).await?.ok_or(BookingError::BookingNotFound)?;
    access::may_see(db, cx.caller(), &row).await?;
    let keeps_staff = request.staff_id.is_none_or(|wanted| wanted == row.staff_id);
    if request.starts_at == row.starts_at && keeps_staff {
        return Ok(None);
    }
    let now = store::now();
    if request.starts_at <= now {
        return Err(BookingError::StartsInPast);
    }
    let question = Question::at(row.service_id, request.staff_id, request.starts_at);
    let offer = match vendor_calls::offer(cx, question).await {
        // The service is gone, the booking of it is not.
        Err(BookingError::ServiceNotFound) => return Err(BookingError::VendorUnavailable),
        answered => answered?,
    };
    let period = offer.period(request.starts_at);
    let mut candidates = offer.candidates(request.staff_id, &period)?;
    // A stable sort: the present staff member first, the others as they were.
    candidates.sort_by_key(|candidate| *candidate != row.staff_id);
    Ok(Some(Move {
        vendor_id: row.vendor_id,
        service_id: row.service_id,
        slot_candidates: offer.slot_candidates(candidates.clone(), &period, now),
        candidates,
        period,
        capacity: offer.service.capacity.max(1),
        schedule_version: offer.schedule_version,
        provisional: offer.provisional,
    }))
}

async fn move_to(
    tx: &store::Tx,
    row: &mut bookings::Model,
    target: &Move,
    actor: ActorKind,
    now: Instant,
) -> Result<(), BookingError> {
    let Move { vendor_id, service_id, candidates, slot_candidates, period, capacity, schedule_version, provisional } =
        target;
    let is_customer = actor == ActorKind::Customer;
    let candidates = if is_customer { slot_candidates.as_ref().map_err(Clone::clone)? } else { candidates };
    let policy = row.policy.0;
    // Where the clinic's schedule has changed under the booking, moving it is not the customer's whim.
    if is_customer && row.attention.is_none() {
        let price = money(row.price_amount, &row.price_currency)?;
        row.fee_amount = row.fee_amount.saturating_add(policy.reschedule_fee(price, row.starts_at, now).amount);
    }
    let (vendor_id, service_id) = (*vendor_id, *service_id);
    let wanted = Wanted { candidates, vendor_id, service_id, period: *period, capacity: *capacity };
    let claimed = claims::move_claim(tx, row, wanted).await?.ok_or(BookingError::SlotTaken)?;
    row.staff_id = claimed.staff_id;
    row.session_id = Some(claimed.session_id);
    row.schedule_changed = claimed.schedule_changed;
    row.starts_at = period.starts_at;
    row.ends_at = period.ends_at;
    row.schedule_version = *schedule_version;
    row.needs_check = *provisional;
    row.attention = None;
    row.status = status::status_after_move(row.status, actor, *provisional);
    // Whoever waits for the clinic waits anew.
    row.expires_at = (row.status == BookingStatus::Pending).then(|| policy.confirm_by(now, period.starts_at));
    Ok(())
}
