//! Rows as messages.

use crate::entity::{booking_changes, bookings, holds};
use crate::repo::offers::{money, time_zone};
use crate::texts::{self, Field};
use store::person::PersonKey;
use subjects::booking::{ActorKind, Booking, BookingChange, Hold, PetOfBooking, WalkIn};
use subjects::{Currency, Fault, Money};

/// A booking without what people wrote: enough for what is told to other services.
///
/// # Errors
/// `internal` for a row that cannot be read.
pub fn booking_without_texts(row: bookings::Model) -> Result<Booking, Fault> {
    booking(row, None)
}

/// A booking as those see it who may, with the key of its person. A text whose key is not there is absent, and a walk-in
/// without a name is.
///
/// # Errors
/// `internal` for a row that cannot be read.
pub fn booking(row: bookings::Model, key: Option<&PersonKey>) -> Result<Booking, Fault> {
    let bookings::Model {
        id,
        reference,
        version,
        status,
        customer_id,
        walk_in_name,
        walk_in_phone,
        vendor_id,
        clinic_id,
        service_id,
        service_name,
        staff_id,
        session_id: _,
        pet_id,
        pet_name,
        pet_species,
        pet_breed,
        starts_at,
        ends_at,
        time_zone: zone_name,
        price_amount,
        price_currency,
        policy,
        fee_amount,
        notes,
        cancel_reason,
        needs_check,
        attention,
        schedule_version,
        schedule_changed: _,
        expires_at,
        created_at,
        updated_at,
    } = row;
    let price = money(price_amount, &price_currency)?;
    let text = |field: Field, text| texts::open(key, id, field, text);
    let walk_in_phone = text(Field::WalkInPhone, walk_in_phone);
    let walk_in = text(Field::WalkInName, walk_in_name).map(|name| WalkIn { name, phone: walk_in_phone });
    let (pet_name, pet_breed) = (text(Field::PetName, pet_name), text(Field::PetBreed, pet_breed));
    let (notes, cancel_reason) = (text(Field::Notes, notes), text(Field::Reason, cancel_reason));
    Ok(Booking {
        id,
        reference,
        version,
        status,
        customer_id,
        walk_in,
        vendor_id,
        clinic_id,
        service_id,
        service_name,
        staff_id,
        pet: PetOfBooking { id: pet_id, name: pet_name, species: pet_species, breed: pet_breed },
        starts_at,
        ends_at,
        time_zone: time_zone(&zone_name)?,
        price,
        policy: policy.0,
        fee: Money { amount: fee_amount, currency: price.currency },
        expires_at,
        schedule_version,
        notes,
        provisional: needs_check,
        attention,
        cancel_reason,
        created_at,
        updated_at,
    })
}

/// An entry of a booking's history, as the viewer may see it: customers learn in what capacity others acted, but not
/// whose account it was. The currency is that of the booking's price, the key that of its person.
pub fn change(
    row: booking_changes::Model,
    viewer: ActorKind,
    currency: Currency,
    key: Option<&PersonKey>,
) -> BookingChange {
    let booking_changes::Model {
        booking_id,
        version,
        kind,
        changed_at,
        actor,
        actor_id,
        status,
        staff_id,
        starts_at,
        ends_at,
        notes,
        reason,
        attention,
        fee_amount,
        delta: _,
    } = row;
    let shows_actor = viewer != ActorKind::Customer || actor == ActorKind::Customer;
    BookingChange {
        version,
        kind,
        at: changed_at,
        actor,
        actor_id: actor_id.filter(|_| shows_actor),
        status,
        staff_id,
        starts_at,
        ends_at,
        notes: texts::open(key, booking_id, Field::Notes, notes),
        reason: texts::open(key, booking_id, Field::Reason, reason),
        attention,
        fee: Money { amount: fee_amount, currency },
    }
}

/// A hold as its user sees it.
///
/// # Errors
/// `internal` for a row that cannot be read.
pub fn hold(row: holds::Model) -> Result<Hold, Fault> {
    let holds::Model {
        id,
        user_id: _,
        vendor_id: _,
        clinic_id,
        service_id,
        staff_id,
        session_id: _,
        starts_at,
        ends_at,
        time_zone: zone_name,
        expires_at,
        created_at,
    } = row;
    let time_zone = time_zone(&zone_name)?;
    Ok(Hold { id, service_id, clinic_id, staff_id, starts_at, ends_at, time_zone, expires_at, created_at })
}
