//! `booking.exportPerson` and `booking.erasePerson`.

use crate::repo::bookings::Change;
use crate::texts::{self, Field};
use crate::{Cx, convert, repo};
use serde_json::Value;
use store::person::{self, PersonKey, SealedText, Section, only_for_privacy};
use store::{HasStore as _, Tx};
use subjects::booking::{ActorKind, BookingCancelled, BookingState, BookingStatus, ChangeKind};
use subjects::ids::{BookingId, UserId};
use subjects::privacy::{ErasePersonFromBooking, Erasure, ExportPersonOfBooking, PersonPage};
use subjects::{Fault, NoError};

/// How many visits are cancelled in one transaction.
const BATCH: u64 = 50;
/// Why a visit of somebody who had themselves erased is cancelled: what stays to be read of it.
const ERASED: &str = "the customer's account was erased";

/// What is kept of a person.
const SECTIONS: &[Section] = &[
    Section {
        kind: "booking",
        rows: "select booking.id::text as key, jsonb_build_object('id', booking.id, 'reference', reference,
                'status', status, 'vendorId', vendor_id, 'clinicId', clinic_id, 'service', service_name,
                'staffId', staff_id, 'petId', pet_id, 'petName', pet_name, 'petSpecies', pet_species,
                'petBreed', pet_breed, 'startsAt', starts_at, 'endsAt', ends_at, 'price', price_amount,
                'fee', fee_amount, 'currency', price_currency, 'notes', notes, 'cancelReason', cancel_reason,
                'createdAt', created_at, 'updatedAt', updated_at,
                'history', (select coalesce(jsonb_agg(jsonb_build_object('version', change.version,
                        'kind', change.kind, 'at', change.changed_at, 'actor', change.actor, 'status', change.status,
                        'startsAt', change.starts_at, 'endsAt', change.ends_at, 'notes', change.notes,
                        'reason', change.reason) order by change.version), '[]')
                    from booking_changes as change where change.booking_id = booking.id)) as data
            from bookings as booking
            where customer_id = $1 and booking.id::text > $2 order by booking.id limit $3",
    },
    Section {
        kind: "hold",
        rows: "select id::text as key, jsonb_build_object('id', id, 'clinicId', clinic_id, 'serviceId', service_id,
                'startsAt', starts_at, 'endsAt', ends_at, 'expiresAt', expires_at) as data
            from holds where user_id = $1 and id::text > $2 order by id limit $3",
    },
    Section {
        kind: "calendar",
        rows: "select id::text as key, jsonb_build_object('id', id, 'clinicId', clinic_id, 'staffId', staff_id,
                'createdAt', created_at) as data
            from calendar_feeds where user_id = $1 and id::text > $2 order by id limit $3",
    },
];

/// What is kept of a person, a page at a time.
pub async fn export(cx: Cx, request: ExportPersonOfBooking) -> Result<PersonPage, NoError> {
    only_for_privacy(&cx)?;
    let db = cx.app.store().read();
    let mut page = person::export(db, SECTIONS, request.user_id, request.cursor.as_deref()).await?;
    let key = cx.app.people.for_reading(db, request.user_id.into()).await?;
    for row in page.rows.iter_mut().filter(|row| row.kind == "booking") {
        open_texts(&mut row.data, key.as_ref())?;
    }
    Ok(page)
}

fn open_texts(booking: &mut Value, key: Option<&PersonKey>) -> Result<(), Fault> {
    let id = booking.get("id").cloned().unwrap_or_default();
    let id: BookingId = serde_json::from_value(id).map_err(Fault::internal)?;
    let fields = [
        ("notes", Field::Notes),
        ("cancelReason", Field::Reason),
        ("petName", Field::PetName),
        ("petBreed", Field::PetBreed),
    ];
    open_fields(booking, id, key, &fields)?;
    for change in booking.get_mut("history").and_then(Value::as_array_mut).into_iter().flatten() {
        open_fields(change, id, key, &[("notes", Field::Notes), ("reason", Field::Reason)])?;
    }
    Ok(())
}

fn open_fields(
    within: &mut Value,
    id: BookingId,
    key: Option<&PersonKey>,
    fields: &[(&str, Field)],
) -> Result<(), Fault> {
    for (name, field) in fields {
        let Some(value) = within.get_mut(*name) else { continue };
        let sealed: Option<SealedText> = serde_json::from_value(value.take()).map_err(Fault::internal)?;
        *value = texts::open(key, id, *field, sealed).map_or(Value::Null, Value::String);
    }
    Ok(())
}

/// Cancels a person's visits to come, gives their holds back, removes their calendars, and destroys the key of all that
/// they wrote or that was written about them. The bookings stay, with ids and times: the clinic's books need them.
pub async fn erase(cx: Cx, request: ErasePersonFromBooking) -> Result<Erasure, NoError> {
    only_for_privacy(&cx)?;
    let user_id = request.user_id;
    let cx = &cx;
    let store = cx.app.store();
    let cancelled: u64 = store.write(cx, |tx| async move { cancel_some(&tx, user_id).await }).await?;
    if cancelled == BATCH {
        return Ok(Erasure { complete: false });
    }
    // Each in a transaction of its own: who gives time back holds no other locks.
    for hold in repo::privacy::holds_of(store.read(), user_id).await? {
        let given_back = store.write(cx, |tx| async move {
            repo::holds::release(&tx, hold, user_id).await?;
            Ok::<(), Fault>(())
        });
        given_back.await?;
    }
    let forgotten = store.write(cx, |tx| async move {
        repo::privacy::remove_calendars(&tx, user_id).await?;
        repo::privacy::forget_texts(&tx, user_id, ERASED).await?;
        cx.app.people.destroy(&tx, user_id.into()).await?;
        person::forget_person(&tx, user_id, [user_id]).await
    });
    forgotten.await?;
    Ok(Erasure { complete: true })
}

/// Cancels some of the visits to come, and tells how many.
async fn cancel_some(tx: &Tx, user_id: UserId) -> Result<u64, Fault> {
    let now = store::now();
    let rows = repo::privacy::lock_visits_to_come(tx, user_id, now, BATCH).await?;
    repo::claims::lock_staff(tx, rows.iter().map(|row| row.staff_id)).await?;
    let mut cancelled = 0;
    for mut row in rows {
        row.status = BookingStatus::Cancelled;
        row.cancel_reason = Some(SealedText::of_the_platform(ERASED));
        row.version += 1;
        row.updated_at = now;
        row.expires_at = None;
        row.needs_check = false;
        row.schedule_changed = false;
        row.attention = None;
        let freed_session = row.session_id.take();
        let reason = row.cancel_reason.clone();
        let change = Change { kind: ChangeKind::Cancelled, actor: ActorKind::System, actor_id: None, reason };
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
