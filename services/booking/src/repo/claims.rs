//! Claimed time: `sessions`. The functions called here are in the migration, with the reasons for their order.

use crate::domain::offer::Period;
use crate::domain::reference;
use crate::entity::bookings;
use sea_orm::{ConnectionTrait, QueryResult, Value};
use store::{id_list, statement};
use subjects::booking::{ActorKind, BookingError};
use subjects::ids::{HoldId, ServiceId, StaffId, UserId, VendorId};
use subjects::time::Instant;
use uuid::Uuid;

/// Time that is to be claimed.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Those who could take it, the first free one gets it.
    pub candidates: &'a [StaffId],
    /// Their vendor.
    pub vendor_id: VendorId,
    /// For which service.
    pub service_id: ServiceId,
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
    /// Whether the vendor's schedule may have changed since it was asked for.
    pub schedule_changed: bool,
}

/// What a booking's time is taken from.
#[derive(Debug, Clone, Copy)]
pub enum Source {
    /// Time that is free.
    Free,
    /// A hold of the user who books, of this staff member where one is named.
    Hold(HoldId, Option<StaffId>),
}

/// Stores a booking and the beginning of its history out of `claimed`, which the given text selects: a session, its
/// staff member, when the visit ends, whether the schedule may have changed, and why there is no claim.
macro_rules! book_out_of {
    ($claimed:literal) => {
        concat!(
            "with claimed as materialized (",
            $claimed,
            "), made as (
                insert into bookings
                    (id, reference, version, status, customer_id, walk_in_name, walk_in_phone, vendor_id, clinic_id,
                     service_id, service_name, staff_id, session_id, pet_id, pet_name, pet_species, pet_breed,
                     starts_at, ends_at, time_zone, price_amount, price_currency, policy, fee_amount, notes,
                     cancel_reason, needs_check, attention, schedule_version, schedule_changed, expires_at, created_at,
                     updated_at)
                select $1,
                    (select split_part($2, ',', free.place) from generate_series(1, 3) as free (place)
                        where (select true from bookings as other
                            where other.reference = split_part($2, ',', free.place)) is null
                        limit 1),
                    $3, $4, $5, $6, $7, $8, $9, $10, $11, claimed.staff_id, claimed.session_id, $12, $13, $14, $15,
                    $16, claimed.ends_at, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, claimed.schedule_changed,
                    $27, $28, $29
                from claimed where claimed.refusal is null
                returning *
            ), noted as (
                insert into booking_changes
                    (booking_id, version, kind, changed_at, actor, actor_id, status, staff_id, starts_at, ends_at,
                     notes, fee_amount, delta)
                select id, version, 'created', updated_at, $30, $31, status, staff_id, starts_at, ends_at, notes,
                    fee_amount, kept_fields(to_jsonb(made))
                from made
            )
            select claimed.refusal, made.reference, made.staff_id, made.session_id, made.ends_at, made.schedule_changed
            from claimed left join made on true"
        )
    };
}

// The first of three random references that is free: that all three are taken will not happen, and if it does, the
// column's `not null` says so.
// Each is looked up by itself: `not exists` would be a join, for which Postgres, as long as it does not know the three,
// reads all bookings, or else plans the statement anew each time.
const BOOK: &str = book_out_of!(
    "select session_id, staff_id, $36::timestamptz as ends_at, schedule_changed, null::text as refusal
    from claim_session($32, string_to_array($33, ',')::uuid[], $34, $35, $16, $36, $37, $38, $39)"
);

const BOOK_HELD: &str = book_out_of!(
    "select session_id, staff_id, ends_at, schedule_changed, refusal
    from take_hold($32, $31, string_to_array($33, ',')::uuid[], $34, $35, $16, $36)"
);

/// Claims time and stores the new booking with the beginning of its history, in one round trip. Answers the booking
/// with its staff member, session and reference.
///
/// # Errors
/// [`BookingError::SlotTaken`] where no candidate is free; for a hold [`BookingError::HoldNotFound`],
/// [`BookingError::HoldMismatch`], and [`BookingError::VendorUnavailable`] where its staff member is not among the
/// candidates. The transaction must then not be committed.
pub async fn book(
    db: &impl ConnectionTrait,
    draft: &bookings::Model,
    wanted: Wanted<'_>,
    source: Source,
    actor: ActorKind,
    actor_id: UserId,
) -> Result<bookings::Model, BookingError> {
    let mut values = booking_values(draft, actor, actor_id);
    let sql = match source {
        Source::Free => {
            values.extend(claim_values(wanted));
            BOOK
        }
        Source::Hold(hold_id, staff_id) => {
            values.extend([
                hold_id.into(),
                id_list(wanted.candidates).into(),
                wanted.vendor_id.into(),
                wanted.service_id.into(),
                staff_id.into(),
            ]);
            BOOK_HELD
        }
    };
    let row = db.query_one_raw(statement(sql, values)).await.map_err(store::Error::from)?;
    let row = row.ok_or(BookingError::SlotTaken)?;
    let refusal: Option<String> = row.try_get("", "refusal").map_err(store::Error::from)?;
    match refusal.as_deref() {
        None => Ok(booked(&row, draft)?),
        Some("not_found") => Err(BookingError::HoldNotFound),
        Some("mismatch") => Err(BookingError::HoldMismatch),
        Some(_) => Err(BookingError::VendorUnavailable),
    }
}

fn booked(row: &QueryResult, draft: &bookings::Model) -> Result<bookings::Model, store::Error> {
    Ok(bookings::Model {
        reference: row.try_get("", "reference")?,
        staff_id: row.try_get("", "staff_id")?,
        session_id: row.try_get("", "session_id")?,
        ends_at: row.try_get("", "ends_at")?,
        schedule_changed: row.try_get("", "schedule_changed")?,
        ..draft.clone()
    })
}

fn booking_values(draft: &bookings::Model, actor: ActorKind, actor_id: UserId) -> Vec<Value> {
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
        starts_at,
        time_zone,
        price_amount,
        price_currency,
        policy,
        fee_amount,
        notes,
        cancel_reason,
        needs_check,
        attention,
        schedule_version,
        expires_at,
        created_at,
        updated_at,
        // The claim gives these, and the reference is found by the statement.
        ends_at: _,
        reference: _,
        staff_id: _,
        session_id: _,
        schedule_changed: _,
    } = draft.clone();
    let references = [reference::random(), reference::random(), reference::random()].join(",");
    vec![
        id.into(),
        references.into(),
        version.into(),
        status.into(),
        customer_id.into(),
        walk_in_name.into(),
        walk_in_phone.into(),
        vendor_id.into(),
        clinic_id.into(),
        service_id.into(),
        service_name.into(),
        pet_id.into(),
        pet_name.into(),
        pet_species.into(),
        pet_breed.into(),
        starts_at.into(),
        time_zone.into(),
        price_amount.into(),
        price_currency.into(),
        policy.into(),
        fee_amount.into(),
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
    ]
}

/// The values of `claim_session` in their order, but for the beginning of the visit, which a booking has already.
fn claim_values(wanted: Wanted<'_>) -> [Value; 8] {
    let Wanted { candidates, vendor_id, service_id, period, capacity } = wanted;
    let Period { starts_at: _, ends_at, blocked_from, blocked_to } = period;
    [
        Uuid::now_v7().into(),
        id_list(candidates).into(),
        vendor_id.into(),
        service_id.into(),
        ends_at.into(),
        blocked_from.into(),
        blocked_to.into(),
        i32::from(capacity).into(),
    ]
}

const MOVE: &str = "
select session_id, staff_id, schedule_changed
from move_session($1, $2, $3, string_to_array($4, ',')::uuid[], $5, $6, $11, $7, $8, $9, $10)";

/// Gives up a booking's session and claims another period, which may overlap the old one. The vendor's schedule is
/// shared already. Answers nothing when no candidate is free: the transaction must then not be committed.
pub async fn move_claim(
    db: &impl ConnectionTrait,
    row: &bookings::Model,
    wanted: Wanted<'_>,
) -> Result<Option<Claimed>, store::Error> {
    // Its place is given back below: it must not be found there as an expired claim and given back once more.
    let give_up = "update bookings set session_id = null where id = $1";
    db.execute_raw(statement(give_up, vec![row.id.into()])).await?;
    let mut values: Vec<Value> = vec![row.session_id.into(), row.staff_id.into()];
    values.extend(claim_values(wanted));
    values.push(wanted.period.starts_at.into());
    let row = db.query_one_raw(statement(MOVE, values)).await?;
    row.as_ref().map(claimed).transpose()
}

/// Keeps the vendor's schedule as it is until the transaction ends. Whoever changes a booking's time takes this before
/// the booking itself; whoever makes a claim has it from there.
pub async fn share_schedule(db: &impl ConnectionTrait, vendor_id: VendorId) -> Result<(), store::Error> {
    db.execute_raw(statement("select share_schedule($1)", vec![vendor_id.into()])).await?;
    Ok(())
}

/// When a change of the vendor's schedule was last heard, as the database tells it.
pub async fn schedule_changed_at(
    db: &impl ConnectionTrait,
    vendor_id: VendorId,
) -> Result<Option<Instant>, store::Error> {
    let changed_at = statement("select changed_at from schedule_changes where vendor_id = $1", vec![vendor_id.into()]);
    let row = db.query_one_raw(changed_at).await?;
    Ok(row.map(|row| row.try_get("", "changed_at")).transpose()?)
}

/// Locks the time of staff members until the transaction ends, in the one order in which everybody does.
pub async fn lock_staff(
    db: &impl ConnectionTrait,
    staff_ids: impl IntoIterator<Item = StaffId>,
) -> Result<(), store::Error> {
    let lock = "select lock_staff(string_to_array($1, ',')::uuid[])";
    db.execute_raw(statement(lock, vec![id_list(staff_ids).into()])).await?;
    Ok(())
}

/// Gives one place of a session back; with the last one the session goes.
pub async fn release(db: &impl ConnectionTrait, session_id: Uuid) -> Result<(), store::Error> {
    db.execute_raw(statement("select release_session($1)", vec![session_id.into()])).await?;
    Ok(())
}

fn claimed(row: &QueryResult) -> Result<Claimed, store::Error> {
    Ok(Claimed {
        session_id: row.try_get("", "session_id")?,
        staff_id: row.try_get("", "staff_id")?,
        schedule_changed: row.try_get("", "schedule_changed")?,
    })
}
