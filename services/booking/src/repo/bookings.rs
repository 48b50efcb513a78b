//! Bookings and their history.

use crate::entity::{booking_changes, bookings};
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use store::person::SealedText;
use store::statement;
use subjects::booking::{ActorKind, BookingSort, BookingStatus, ChangeKind, FindBookings};
use subjects::ids::{BookingId, ClinicId, UserId};
use subjects::time::Instant;

/// Who changed a booking, and how.
#[derive(Debug, Clone)]
pub struct Change {
    /// What it does.
    pub kind: ChangeKind,
    /// In what capacity it is done.
    pub actor: ActorKind,
    /// The user who does it; none where the platform does.
    pub actor_id: Option<UserId>,
    /// Why, where someone said so.
    pub reason: Option<SealedText>,
}

/// Whose bookings a list shows.
#[derive(Debug, Clone, Copy)]
pub enum Scope {
    /// Those of a customer.
    Customer(UserId),
    /// Those of a clinic.
    Clinic(ClinicId),
}

/// Where a list of bookings goes on.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ListKey {
    /// The order that it has.
    pub sort: BookingSort,
    /// The instant by which the last booking stood where it did.
    pub at: Instant,
    /// Its id.
    pub id: BookingId,
}

/// One booking.
pub async fn find(db: &impl ConnectionTrait, id: BookingId) -> Result<Option<bookings::Model>, store::Error> {
    Ok(bookings::Entity::find_by_id(id).one(db).await?)
}

/// One booking, held against changes by others until the transaction ends.
pub async fn lock(db: &impl ConnectionTrait, id: BookingId) -> Result<Option<bookings::Model>, store::Error> {
    Ok(bookings::Entity::find_by_id(id).lock_exclusive().one(db).await?)
}

/// Bookings in a scope, in an order, after `after`, at most `limit`.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: Scope,
    filters: &FindBookings,
    order: BookingSort,
    after: Option<ListKey>,
    limit: u64,
) -> Result<Vec<bookings::Model>, store::Error> {
    use bookings::Column;
    // Taken apart in full, so that a new filter has to be applied. The clinic's is applied whatever the scope.
    let FindBookings { status, clinic_id, staff_id, pet_id, from, to, sort: _, limit: _, cursor: _ } = filters;
    let mut condition = match scope {
        Scope::Customer(customer_id) => Condition::all().add(Column::CustomerId.eq(customer_id)),
        Scope::Clinic(clinic_id) => Condition::all().add(Column::ClinicId.eq(clinic_id)),
    };
    condition = condition
        .add_option(status.map(|status| Column::Status.eq(status)))
        .add_option(clinic_id.map(|clinic_id| Column::ClinicId.eq(clinic_id)))
        .add_option(staff_id.map(|staff_id| Column::StaffId.eq(staff_id)))
        .add_option(pet_id.map(|pet_id| Column::PetId.eq(pet_id)))
        .add_option(from.map(|from| Column::StartsAt.gte(from)))
        .add_option(to.map(|to| Column::StartsAt.lt(to)));
    let (column, direction) = match order {
        BookingSort::StartsAt => (Column::StartsAt, Order::Asc),
        BookingSort::StartsAtDescending => (Column::StartsAt, Order::Desc),
        BookingSort::CreatedAtDescending => (Column::CreatedAt, Order::Desc),
    };
    if let Some(ListKey { sort: _, at, id }) = after {
        // The first bound alone is what an index can use.
        let (not_before, beyond, next) = match direction {
            Order::Desc => (column.lte(at), column.lt(at), Column::Id.lt(id)),
            _ => (column.gte(at), column.gt(at), Column::Id.gt(id)),
        };
        let beside = Condition::all().add(column.eq(at)).add(next);
        condition = condition.add(not_before).add(Condition::any().add(beyond).add(beside));
    }
    let query = bookings::Entity::find()
        .filter(condition)
        .order_by(column, direction.clone())
        .order_by(Column::Id, direction)
        .limit(limit);
    Ok(query.all(db).await?)
}

/// A booking's changes after a version, at most `limit`.
pub async fn history(
    db: &impl ConnectionTrait,
    id: BookingId,
    after_version: i64,
    limit: u64,
) -> Result<Vec<booking_changes::Model>, store::Error> {
    use booking_changes::Column;
    let query = booking_changes::Entity::find()
        .filter(Column::BookingId.eq(id))
        .filter(Column::Version.gt(after_version))
        .order_by_asc(Column::Version)
        .limit(limit);
    Ok(query.all(db).await?)
}

/// Bookings that wait to be checked with the vendor service, the oldest first.
pub async fn waiting_for_check(
    db: &impl ConnectionTrait,
    after: Option<BookingId>,
    limit: u64,
) -> Result<Vec<bookings::Model>, store::Error> {
    use bookings::Column;
    let query = bookings::Entity::find()
        .filter(Column::NeedsCheck.eq(true))
        .filter(Condition::all().add_option(after.map(|after| Column::Id.gt(after))))
        .order_by_asc(Column::Id)
        .limit(limit);
    Ok(query.all(db).await?)
}

/// Unconfirmed bookings whose time is over, held against changes by others until the transaction ends, at most `limit`.
/// Those that somebody holds already are passed over.
pub async fn lock_expired(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<bookings::Model>, store::Error> {
    use bookings::Column;
    let query = bookings::Entity::find()
        .filter(Column::Status.eq(BookingStatus::Pending))
        .filter(Expr::cust("expires_at <= now()"))
        .order_by_asc(Column::ExpiresAt)
        .order_by_asc(Column::Id)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    Ok(query.all(db).await?)
}

const SAVE: &str = "
with before as (
    select * from bookings where id = $1
), saved as (
    update bookings
    set version = $2, status = $3, staff_id = $4, session_id = $5, starts_at = $6, ends_at = $7, notes = $8,
        cancel_reason = $9, needs_check = $10, attention = $11, schedule_version = $12, schedule_changed = $13,
        expires_at = $14, fee_amount = $15, updated_at = $16
    where id = $1 and version = $2 - 1
    returning *
)
insert into booking_changes
    (booking_id, version, kind, changed_at, actor, actor_id, status, staff_id, starts_at, ends_at, notes, reason,
     attention, fee_amount, delta)
select saved.id, saved.version, $17, saved.updated_at, $18, $19, saved.status, saved.staff_id, saved.starts_at,
    saved.ends_at, saved.notes, $20, saved.attention, saved.fee_amount,
    changed_fields(to_jsonb(before), to_jsonb(saved))
from saved join before on before.id = saved.id";

/// Stores a booking that is locked and has been changed, with its history, in one round trip. Its version is the
/// next one.
pub async fn save(db: &impl ConnectionTrait, row: &bookings::Model, change: Change) -> Result<(), store::Error> {
    let bookings::Model {
        id,
        version,
        status,
        staff_id,
        session_id,
        starts_at,
        ends_at,
        notes,
        cancel_reason,
        needs_check,
        attention,
        schedule_version,
        schedule_changed,
        expires_at,
        fee_amount,
        updated_at,
        // What never changes:
        reference: _,
        customer_id: _,
        walk_in_name: _,
        walk_in_phone: _,
        vendor_id: _,
        clinic_id: _,
        service_id: _,
        service_name: _,
        pet_id: _,
        pet_name: _,
        pet_species: _,
        pet_breed: _,
        time_zone: _,
        price_amount: _,
        price_currency: _,
        policy: _,
        created_at: _,
    } = row.clone();
    let Change { kind, actor, actor_id, reason } = change;
    let values = vec![
        id.into(),
        version.into(),
        status.into(),
        staff_id.into(),
        session_id.into(),
        starts_at.into(),
        ends_at.into(),
        notes.into(),
        cancel_reason.into(),
        needs_check.into(),
        attention.into(),
        schedule_version.into(),
        schedule_changed.into(),
        expires_at.into(),
        fee_amount.into(),
        updated_at.into(),
        kind.into(),
        actor.into(),
        actor_id.into(),
        reason.into(),
    ];
    let result = db.execute_raw(statement(SAVE, values)).await?;
    match result.rows_affected() {
        1 => Ok(()),
        _ => Err(sea_orm::DbErr::RecordNotUpdated.into()),
    }
}
