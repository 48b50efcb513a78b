//! Bookings and their history.

use super::statement;
use crate::entity::{booking_changes, bookings};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use subjects::booking::{ActorKind, ChangeKind, FindBookings};
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
    pub reason: Option<String>,
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
    /// The last booking's beginning.
    pub starts_at: Instant,
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

/// Bookings in a scope, the earliest visit first, after `after`, at most `limit`.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: Scope,
    filters: &FindBookings,
    after: Option<ListKey>,
    limit: u64,
) -> Result<Vec<bookings::Model>, store::Error> {
    use bookings::Column;
    // Taken apart in full, so that a new filter has to be applied. The clinic's is applied whatever the scope.
    let FindBookings { status, clinic_id, staff_id, pet_id, from, to, limit: _, cursor: _ } = filters;
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
    if let Some(ListKey { starts_at, id }) = after {
        let later = Condition::any()
            .add(Column::StartsAt.gt(starts_at))
            .add(Condition::all().add(Column::StartsAt.eq(starts_at)).add(Column::Id.gt(id)));
        // The first bound alone is what an index can use.
        condition = condition.add(Column::StartsAt.gte(starts_at)).add(later);
    }
    let query =
        bookings::Entity::find().filter(condition).order_by_asc(Column::StartsAt).order_by_asc(Column::Id).limit(limit);
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

const SAVE: &str = "
with saved as (
    update bookings
    set version = $2, status = $3, staff_id = $4, session_id = $5, starts_at = $6, ends_at = $7, notes = $8,
        cancel_reason = $9, needs_check = $10, attention = $11, schedule_version = $12, expires_at = $13,
        updated_at = $14
    where id = $1 and version = $2 - 1
    returning id
)
insert into booking_changes
    (booking_id, version, kind, changed_at, actor, actor_id, status, staff_id, starts_at, ends_at, notes, reason,
     attention)
select id, $2, $15, $14, $16, $17, $3, $4, $6, $7, $8, $18, $11 from saved";

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
        expires_at,
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
        expires_at.into(),
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
