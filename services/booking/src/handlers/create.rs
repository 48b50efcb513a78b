//! `booking.create`.

use crate::domain::offer::{Offer, Period};
use crate::entity::bookings;
use crate::entity::clinics::Policy;
use crate::repo::claims::{self, Source, Wanted};
use crate::vendor_calls::{self, Question};
use crate::{Cx, access, pets, texts};
use store::HasStore as _;
use subjects::booking::{ActorKind, Booking, BookingCreated, BookingError, BookingState, BookingStatus, CreateBooking};
use subjects::ids::{BookingId, StaffId};
use subjects::time::Instant;
use subjects::{Fault, Role};
use uuid::Uuid;

/// What is decided before the transaction.
struct Prepared {
    draft: bookings::Model,
    candidates: Vec<StaffId>,
    period: Period,
    capacity: u16,
    source: Source,
    actor: access::Actor,
}

/// Books a service.
pub async fn create(cx: Cx, request: CreateBooking) -> Result<Booking, BookingError> {
    // A refusal is only given inside: a request that is repeated gets the answer that it got at first, even if it
    // would be refused by now.
    let prepared = prepare(&cx, &request).await;
    let (prepared, app) = (&prepared, &cx.app);
    let made = cx.app.store().keyed(&cx, &request, |tx| async move {
        let Prepared { draft, candidates, period, capacity, source, actor } =
            prepared.as_ref().map_err(Clone::clone)?;
        let (vendor_id, service_id) = (draft.vendor_id, draft.service_id);
        let wanted = Wanted { candidates, vendor_id, service_id, period: *period, capacity: *capacity };
        let row = claims::book(&tx, draft, wanted, *source, actor.kind, actor.user_id).await?;
        let booking = texts::booking(app, &tx, row).await?;
        tx.emit(&BookingCreated(BookingState::from(&booking))).await?;
        Ok(booking)
    });
    made.await
}

async fn prepare(cx: &Cx, request: &CreateBooking) -> Result<Prepared, BookingError> {
    let user = cx.caller().user()?;
    // Without a walk-in it is the caller's own booking, and that takes a customer.
    if request.walk_in.is_none() && !user.has_role(Role::Customer) {
        return Err(Fault::forbidden().into());
    }
    let now = store::now();
    if request.starts_at <= now {
        return Err(BookingError::StartsInPast);
    }
    let offer = vendor_calls::offer(cx, Question::at(request.service_id, request.staff_id, request.starts_at)).await?;
    offer.belongs_to(request.clinic_id, request.vendor_id)?;
    let kind = match request.walk_in {
        None => ActorKind::Customer,
        Some(_) => staff_of_the_clinic(cx, &offer).await?,
    };
    if let Some(pet_id) = request.pet_id {
        pets::check(cx, pet_id, user.id).await?;
    }
    let period = offer.period(request.starts_at);
    let mut candidates = offer.candidates(request.staff_id, &period)?;
    let source = match request.hold_id {
        Some(hold_id) => Source::Hold(hold_id, request.staff_id),
        None => Source::Free,
    };
    // A hold was made by the rules for whoever made it, and keeps its time although less notice is left by now.
    if kind == ActorKind::Customer && request.hold_id.is_none() {
        candidates = offer.slot_candidates(candidates, &period, now)?;
    }
    let actor = access::Actor { kind, user_id: user.id };
    let capacity = offer.service.capacity.max(1);
    let mut draft = draft(request, offer, &period, actor, now);
    texts::seal_new(&cx.app, &mut draft, request).await?;
    Ok(Prepared { draft, candidates, period, capacity, source, actor })
}

/// Who books for a walk-in works at the clinic.
async fn staff_of_the_clinic(cx: &Cx, offer: &Offer) -> Result<ActorKind, BookingError> {
    let user = cx.caller().user()?;
    let service = &offer.service;
    if access::is_staff_of(cx.app.store().read(), user.id, service.vendor_id, service.clinic_id).await? {
        Ok(ActorKind::Staff)
    } else {
        Err(Fault::forbidden().into())
    }
}

/// The booking without what was written with it, which is sealed into it later.
fn draft(
    request: &CreateBooking,
    offer: Offer,
    period: &Period,
    actor: access::Actor,
    now: Instant,
) -> bookings::Model {
    let CreateBooking {
        service_id: _,
        clinic_id: _,
        vendor_id: _,
        staff_id: _,
        hold_id: _,
        starts_at: _,
        pet: _,
        pet_id,
        walk_in,
        notes: _,
    } = request.clone();
    let customer_id = walk_in.is_none().then_some(actor.user_id);
    let Offer { service, time_zone, policy, schedule_version, bookable: _, staff: _, provisional } = offer;
    bookings::Model {
        id: BookingId::new(),
        version: 1,
        status: BookingStatus::Pending,
        customer_id,
        walk_in_name: None,
        walk_in_phone: None,
        vendor_id: service.vendor_id,
        clinic_id: service.clinic_id,
        service_id: service.service_id,
        service_name: service.name,
        pet_id,
        pet_name: None,
        pet_species: None,
        pet_breed: None,
        starts_at: period.starts_at,
        ends_at: period.ends_at,
        time_zone: time_zone.name().to_owned(),
        price_amount: service.price.amount,
        price_currency: service.price.currency.as_str().to_owned(),
        policy: Policy(policy),
        fee_amount: 0,
        notes: None,
        cancel_reason: None,
        needs_check: provisional,
        attention: None,
        schedule_version,
        expires_at: Some(policy.confirm_by(now, period.starts_at)),
        created_at: now,
        updated_at: now,
        // The claim gives these.
        reference: String::new(),
        staff_id: StaffId(Uuid::nil()),
        session_id: None,
        schedule_changed: false,
    }
}
