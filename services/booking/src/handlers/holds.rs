//! `hold.create`, `hold.findOne` and `hold.release`.

use crate::domain::offer::{Offer, Period};
use crate::repo::claims::Wanted;
use crate::repo::holds::NewHold;
use crate::vendor_calls::{self, Question};
use crate::{Cx, access, convert, repo};
use store::HasStore as _;
use subjects::booking::{BookingError, CreateHold, FindHold, Hold, ReleaseHold};
use subjects::ids::{HoldId, StaffId};
use subjects::time::Instant;
use subjects::{Fault, Role};

/// What is decided before the transaction.
struct Prepared {
    offer: Offer,
    candidates: Vec<StaffId>,
    period: Period,
    hold: NewHold,
}

/// Holds a slot.
pub async fn create(cx: Cx, request: CreateHold) -> Result<Hold, BookingError> {
    // As with a new booking: a refusal is only given inside.
    let prepared = prepare(&cx, &request).await;
    let prepared = &prepared;
    let made = cx.app.store().keyed(&cx, &request, |tx| async move {
        let Prepared { offer, candidates, period, hold } = prepared.as_ref().map_err(Clone::clone)?;
        let service = &offer.service;
        let (vendor_id, service_id) = (service.vendor_id, service.service_id);
        let capacity = service.capacity.max(1);
        let wanted = Wanted { candidates, vendor_id, service_id, period: *period, capacity };
        Ok(convert::hold(repo::holds::make(&tx, hold, service.clinic_id, wanted).await?)?)
    });
    made.await
}

async fn prepare(cx: &Cx, request: &CreateHold) -> Result<Prepared, BookingError> {
    let CreateHold { service_id, staff_id, starts_at } = *request;
    let user_id = cx.caller().user()?.id;
    let now = store::now();
    if starts_at <= now {
        return Err(BookingError::StartsInPast);
    }
    let offer = vendor_calls::offer(cx, Question::at(service_id, staff_id, starts_at)).await?;
    let period = offer.period(starts_at);
    let candidates = candidates(cx, &offer, staff_id, &period, now).await?;
    let hold = NewHold {
        id: HoldId::new(),
        user_id,
        time_zone: offer.time_zone.name().to_owned(),
        expires_at: now + cx.app.config.hold_time(),
        created_at: now,
    };
    Ok(Prepared { offer, candidates, period, hold })
}

/// Those who can take the visit: by the rules for customers or, where these do not let the caller, as the clinic's staff
/// and those who run the platform may book.
async fn candidates(
    cx: &Cx,
    offer: &Offer,
    wanted: Option<StaffId>,
    period: &Period,
    now: Instant,
) -> Result<Vec<StaffId>, BookingError> {
    let user = cx.caller().user()?;
    let free_of_rules = offer.candidates(wanted, period);
    let as_customer = match &free_of_rules {
        Ok(candidates) if user.has_role(Role::Customer) => offer.slot_candidates(candidates.clone(), period, now),
        Err(refusal) if user.has_role(Role::Customer) => Err(refusal.clone()),
        _ => Err(Fault::forbidden().into()),
    };
    let service = &offer.service;
    match as_customer {
        Err(_) if cx.caller().is_permitted() => free_of_rules,
        Err(refusal) => {
            let db = cx.app.store().read();
            let is_staff = access::is_staff_of(db, user.id, service.vendor_id, service.clinic_id).await?;
            if is_staff { free_of_rules } else { Err(refusal) }
        }
        candidates => candidates,
    }
}

/// One of the caller's holds, while it lasts.
pub async fn find_one(cx: Cx, request: FindHold) -> Result<Hold, BookingError> {
    let user_id = cx.caller().user()?.id;
    let row = repo::holds::find(cx.app.store().read(), request.id).await?;
    let own = row.filter(|row| row.user_id == user_id).ok_or(BookingError::HoldNotFound)?;
    Ok(convert::hold(own)?)
}

/// Gives held time back.
pub async fn release(cx: Cx, request: ReleaseHold) -> Result<(), BookingError> {
    let user_id = cx.caller().user()?.id;
    let released = cx.app.store().write(&cx, |tx| async move {
        if repo::holds::release(&tx, request.id, user_id).await? { Ok(()) } else { Err(BookingError::HoldNotFound) }
    });
    released.await
}
