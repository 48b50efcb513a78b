//! What people wrote, sealed and opened: under the key of the customer, or of the booking itself where it is a walk-in's.

use crate::app::BookingApp;
use crate::entity::bookings;
use crate::{Cx, convert, repo};
use sea_orm::ConnectionTrait;
use store::HasStore as _;
use store::person::{self, PersonKey, SealedText};
use subjects::Fault;
use subjects::booking::{Booking, BookingError, CreateBooking, PetDetails, WalkIn};
use subjects::ids::{BookingId, UserId};
use uuid::Uuid;

/// A text of a booking, by where it stands: sealed for one field it does not open in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// What the customer wants the clinic to know.
    Notes,
    /// Why it was cancelled.
    Reason,
    /// The pet's name.
    PetName,
    /// The pet's breed.
    PetBreed,
    /// Who walked in.
    WalkInName,
    /// Their number.
    WalkInPhone,
}

impl Field {
    fn place(self, booking: BookingId) -> String {
        let name = match self {
            Field::Notes => "notes",
            Field::Reason => "reason",
            Field::PetName => "pet_name",
            Field::PetBreed => "pet_breed",
            Field::WalkInName => "walk_in_name",
            Field::WalkInPhone => "walk_in_phone",
        };
        format!("{booking}/{name}")
    }
}

/// Whose key a booking's texts are sealed under.
pub fn subject(booking: BookingId, customer: Option<UserId>) -> Uuid {
    customer.map_or(booking.into(), Uuid::from)
}

/// Seals a text of a booking.
///
/// # Errors
/// As of [`PersonKey::seal`].
pub fn seal(key: &PersonKey, booking: BookingId, field: Field, text: &str) -> Result<SealedText, Fault> {
    key.seal(&field.place(booking), text)
}

/// Opens a text of a booking; none where its key is gone.
pub fn open(key: Option<&PersonKey>, booking: BookingId, field: Field, text: Option<SealedText>) -> Option<String> {
    person::open(key, &field.place(booking), &text?)
}

/// Puts what was written with a new booking into its row, sealed. Asks for the person's key only where something was.
///
/// # Errors
/// `person_erased` where the key was destroyed; the database's failures.
pub async fn seal_new(app: &BookingApp, draft: &mut bookings::Model, request: &CreateBooking) -> Result<(), Fault> {
    let CreateBooking {
        service_id: _,
        clinic_id: _,
        vendor_id: _,
        staff_id: _,
        hold_id: _,
        starts_at: _,
        pet,
        pet_id: _,
        walk_in,
        notes,
    } = request;
    if pet.is_none() && walk_in.is_none() && notes.is_none() {
        return Ok(());
    }
    let id = draft.id;
    let key = app.people.for_writing(subject(id, draft.customer_id)).await?;
    let sealed = |field: Field, text: Option<&String>| text.map(|text| seal(&key, id, field, text)).transpose();
    if let Some(PetDetails { name, species, breed }) = pet {
        draft.pet_name = sealed(Field::PetName, Some(name))?;
        draft.pet_species = Some(*species);
        draft.pet_breed = sealed(Field::PetBreed, breed.as_ref())?;
    }
    if let Some(WalkIn { name, phone }) = walk_in {
        draft.walk_in_name = sealed(Field::WalkInName, Some(name))?;
        draft.walk_in_phone = sealed(Field::WalkInPhone, phone.as_ref())?;
    }
    draft.notes = sealed(Field::Notes, notes.as_ref())?;
    Ok(())
}

/// Seals a text that is to be added to a booking, before the transaction begins; none where there is no such booking,
/// which the transaction finds as well.
///
/// # Errors
/// As of [`seal_new`].
pub async fn seal_added(
    cx: &Cx,
    id: BookingId,
    field: Field,
    text: Option<&String>,
) -> Result<Option<SealedText>, BookingError> {
    let Some(text) = text else { return Ok(None) };
    let Some(row) = repo::bookings::find(cx.app.store().read(), id).await? else { return Ok(None) };
    let key = cx.app.people.for_writing(subject(id, row.customer_id)).await?;
    Ok(Some(seal(&key, id, field, text)?))
}

/// The key to read a booking's texts with, where it has any that are sealed.
///
/// # Errors
/// The database's failures.
pub async fn key_of(
    app: &BookingApp,
    db: &impl ConnectionTrait,
    row: &bookings::Model,
) -> Result<Option<PersonKey>, Fault> {
    if has_texts(row) { app.people.for_reading(db, subject(row.id, row.customer_id)).await } else { Ok(None) }
}

/// A booking as those see it who may.
///
/// # Errors
/// A row that cannot be read; the database's failures.
pub async fn booking(app: &BookingApp, db: &impl ConnectionTrait, row: bookings::Model) -> Result<Booking, Fault> {
    let key = key_of(app, db, &row).await?;
    convert::booking(row, key.as_ref())
}

/// Several bookings, with at most one query for all their keys.
///
/// # Errors
/// Likewise.
pub async fn bookings(
    app: &BookingApp,
    db: &impl ConnectionTrait,
    rows: Vec<bookings::Model>,
) -> Result<Vec<Booking>, Fault> {
    let with_texts = rows.iter().filter(|row| has_texts(row));
    let keys = app.people.of_many(db, with_texts.map(|row| subject(row.id, row.customer_id))).await?;
    let opened = rows.into_iter().map(|row| {
        let key = keys.get(subject(row.id, row.customer_id));
        convert::booking(row, key)
    });
    opened.collect()
}

fn has_texts(row: &bookings::Model) -> bool {
    row.notes.is_some() || row.cancel_reason.is_some() || row.pet_name.is_some() || row.walk_in_name.is_some()
}
