//! Claimed time: `sessions`. The functions called here are in the migration, with the reasons for their order.

use super::{id_list, statement};
use crate::domain::offer::Period;
use crate::domain::reference;
use crate::domain::slots::Claim;
use crate::entity::bookings;
use sea_orm::{ConnectionTrait, QueryResult};
use subjects::booking::ActorKind;
use subjects::ids::{ServiceId, StaffId, UserId};
use subjects::time::Instant;
use uuid::Uuid;

/// Time that is to be claimed.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Those who could take it, the first free one gets it.
    pub candidates: &'a [StaffId],
    /// When.
    pub period: Period,
    /// How many bookings the session takes.
    pub capacity: u16,
}

/// Time that has been claimed.
#[derive(Debug, Clone, Copy)]
pub struct Claimed {
    /// The session.
    pub session_id: Uuid,
    /// Whose time.
    pub staff_id: StaffId,
}

// The first of three random references that is free: that all three are taken will not happen, and if it does, the
// column's `not null` says so.
const BOOK: &str = "
with claimed as materialized (
    select session_id, staff_id
    from claim_session($1, string_to_array($2, ',')::uuid[], $3, $4, $5, $6, $7, $8)
), made as (
    insert into bookings
        (id, reference, version, status, customer_id, walk_in_name, walk_in_phone, vendor_id, clinic_id, service_id,
         service_name, staff_id, session_id, pet_id, pet_name, pet_species, pet_breed, starts_at, ends_at, time_zone,
         price_amount, price_currency, notes, cancel_reason, needs_check, attention, schedule_version, expires_at,
         created_at, updated_at)
    select $9,
        (select free.reference from unnest(string_to_array($10, ',')) as free (reference)
            where not exists (select from bookings as other where other.reference = free.reference) limit 1),
        $11, $12, $13, $14, $15, $16, $17, $3, $18, claimed.staff_id, claimed.session_id, $19, $20, $21, $22, $4, $5,
        $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33
    from claimed
    returning id, version, reference, staff_id, session_id
), noted as (
    insert into booking_changes
        (booking_id, version, kind, changed_at, actor, actor_id, status, staff_id, starts_at, ends_at, notes)
    select id, version, 'created', $32, $34, $35, $12, staff_id, $4, $5, $26 from made
)
select reference, staff_id, session_id from made";

/// Claims time and stores the new booking with the beginning of its history, in one round trip. Answers the booking
/// with its staff member, session and reference, or nothing when no candidate is free.
pub async fn book(
    db: &impl ConnectionTrait,
    draft: &bookings::Model,
    wanted: Wanted<'_>,
    actor: ActorKind,
    actor_id: UserId,
) -> Result<Option<bookings::Model>, store::Error> {
    let Period { starts_at, ends_at, blocked_from, blocked_to } = wanted.period;
    let bookings::Model {
        id,
        version,
        status,
        customer_id,
        walk_in_name,
        walk_in_phone,
        vendor_id,
        clinic_id,
        service_id,
        service_name,
        pet_id,
        pet_name,
        pet_species,
        pet_breed,
        time_zone,
        price_amount,
        price_currency,
        notes,
        cancel_reason,
        needs_check,
        attention,
        schedule_version,
        expires_at,
        created_at,
        updated_at,
        // The period is the wanted one, and the rest is found here.
        starts_at: _,
        ends_at: _,
        reference: _,
        staff_id: _,
        session_id: _,
    } = draft.clone();
    let references = [reference::random(), reference::random(), reference::random()].join(",");
    let values = vec![
        Uuid::now_v7().into(),
        id_list(wanted.candidates).into(),
        service_id.into(),
        starts_at.into(),
        ends_at.into(),
        blocked_from.into(),
        blocked_to.into(),
        i32::from(wanted.capacity).into(),
        id.into(),
        references.into(),
        version.into(),
        status.into(),
        customer_id.into(),
        walk_in_name.into(),
        walk_in_phone.into(),
        vendor_id.into(),
        clinic_id.into(),
        service_name.into(),
        pet_id.into(),
        pet_name.into(),
        pet_species.into(),
        pet_breed.into(),
        time_zone.into(),
        price_amount.into(),
        price_currency.into(),
        notes.into(),
        cancel_reason.into(),
        needs_check.into(),
        attention.into(),
        schedule_version.into(),
        expires_at.into(),
        created_at.into(),
        updated_at.into(),
        actor.into(),
        actor_id.into(),
    ];
    let Some(row) = db.query_one_raw(statement(BOOK, values)).await? else { return Ok(None) };
    let Claimed { session_id, staff_id } = claimed(&row)?;
    let reference = row.try_get("", "reference")?;
    let session_id = Some(session_id);
    Ok(Some(bookings::Model { reference, staff_id, session_id, starts_at, ends_at, ..draft.clone() }))
}

const CLAIM: &str = "
select session_id, staff_id from claim_session($1, string_to_array($2, ',')::uuid[], $3, $4, $5, $6, $7, $8)";

/// Gives up a booking's session and claims another period, which may overlap the old one. Answers nothing when no
/// candidate is free: the transaction must then not be committed.
///
/// All staff involved are locked first and in one order; otherwise two bookings that move into each other's time
/// would deadlock.
pub async fn move_claim(
    db: &impl ConnectionTrait,
    row: &bookings::Model,
    wanted: Wanted<'_>,
) -> Result<Option<Claimed>, store::Error> {
    let involved = wanted.candidates.iter().chain(std::iter::once(&row.staff_id));
    let lock = "select lock_staff(string_to_array($1, ',')::uuid[])";
    db.execute_raw(statement(lock, vec![id_list(involved).into()])).await?;
    if let Some(session_id) = row.session_id {
        release(db, session_id).await?;
    }
    let Period { starts_at, ends_at, blocked_from, blocked_to } = wanted.period;
    let values = vec![
        Uuid::now_v7().into(),
        id_list(wanted.candidates).into(),
        row.service_id.into(),
        starts_at.into(),
        ends_at.into(),
        blocked_from.into(),
        blocked_to.into(),
        i32::from(wanted.capacity).into(),
    ];
    let row = db.query_one_raw(statement(CLAIM, values)).await?;
    row.as_ref().map(claimed).transpose()
}

/// Gives one place of a session back; with the last one the session goes.
pub async fn release(db: &impl ConnectionTrait, session_id: Uuid) -> Result<(), store::Error> {
    db.execute_raw(statement("select release_session($1)", vec![session_id.into()])).await?;
    Ok(())
}

const OVERLAPPING: &str = "
select staff_id, service_id, starts_at, ends_at, blocked_from, blocked_to, taken < capacity as has_room
from sessions
where staff_id = any(string_to_array($1, ',')::uuid[])
    and tstzrange(blocked_from, blocked_to) && tstzrange($2, $3)
    and (expires_at is null or expires_at > now())";

/// The claims on the time of some staff members that touch a stretch of time.
pub async fn overlapping(
    db: &impl ConnectionTrait,
    staff_ids: impl Iterator<Item = StaffId>,
    from: Instant,
    to: Instant,
) -> Result<Vec<Claim>, store::Error> {
    let values = vec![id_list(staff_ids).into(), from.into(), to.into()];
    let rows = db.query_all_raw(statement(OVERLAPPING, values)).await?;
    rows.iter().map(claim).collect()
}

fn claim(row: &QueryResult) -> Result<Claim, store::Error> {
    Ok(Claim {
        staff_id: row.try_get("", "staff_id")?,
        service_id: row.try_get::<ServiceId>("", "service_id")?,
        starts_at: row.try_get("", "starts_at")?,
        ends_at: row.try_get("", "ends_at")?,
        blocked_from: row.try_get("", "blocked_from")?,
        blocked_to: row.try_get("", "blocked_to")?,
        has_room: row.try_get("", "has_room")?,
    })
}

fn claimed(row: &QueryResult) -> Result<Claimed, store::Error> {
    Ok(Claimed { session_id: row.try_get("", "session_id")?, staff_id: row.try_get("", "staff_id")? })
}
