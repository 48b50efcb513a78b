//! Calendars, and the visits that they show.

use crate::domain::ical::Visit;
use crate::entity::{calendar_feeds, staff};
use crate::repo::bookings::Scope;
use crate::repo::offers::time_zone;
use crate::texts::{self, Field};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect, Value,
};
use store::person::{KeysOfMany, PersonKeys, SealedText};
use store::statement;
use subjects::Fault;
use subjects::booking::{BookingError, BookingStatus};
use subjects::ids::{BookingId, CalendarId, ClinicId, StaffId, UserId, VendorId};
use subjects::time::Instant;

/// How many calendars one may have.
const AT_MOST: i64 = 10;
/// How many visits a calendar shows.
const MOST_VISITS: i64 = 2_000;

/// Held by whoever makes a calendar for a user, so that the count below is still true when the row is there.
const LOCK: &str =
    "select pg_advisory_xact_lock(hashtextextended(concat_ws(chr(31), current_schema(), 'calendars', $1), 0))";

const MAKE: &str = "
insert into calendar_feeds (id, user_id, clinic_id, vendor_id, staff_id, token_hash, created_at)
select $1, $2, $3, $4, $5, $6, $7 where (select count(*) from calendar_feeds where user_id = $2) < $8";

/// Stores a calendar.
///
/// # Errors
/// [`BookingError::TooManyCalendars`] where the user has as many as one may have.
pub async fn make(db: &impl ConnectionTrait, row: calendar_feeds::Model) -> Result<(), BookingError> {
    let calendar_feeds::Model { id, user_id, clinic_id, vendor_id, staff_id, token_hash, created_at } = row;
    db.execute_raw(statement(LOCK, vec![user_id.to_string().into()])).await.map_err(store::Error::from)?;
    let values = vec![
        id.into(),
        user_id.into(),
        clinic_id.into(),
        vendor_id.into(),
        staff_id.into(),
        token_hash.into(),
        created_at.into(),
        AT_MOST.into(),
    ];
    let made = db.execute_raw(statement(MAKE, values)).await.map_err(store::Error::from)?;
    if made.rows_affected() == 0 { Err(BookingError::TooManyCalendars) } else { Ok(()) }
}

/// A user's calendars before `before`, the latest first.
pub async fn list(
    db: &impl ConnectionTrait,
    user_id: UserId,
    before: Option<CalendarId>,
    limit: u64,
) -> Result<Vec<calendar_feeds::Model>, store::Error> {
    use calendar_feeds::Column;
    let query = calendar_feeds::Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Condition::all().add_option(before.map(|before| Column::Id.lt(before))))
        .order_by_desc(Column::Id)
        .limit(limit);
    Ok(query.all(db).await?)
}

/// Removes a calendar. False where it is somebody else's.
pub async fn remove(db: &impl ConnectionTrait, id: CalendarId, user_id: UserId) -> Result<bool, store::Error> {
    use calendar_feeds::Column;
    let of_the_user =
        calendar_feeds::Entity::delete_many().filter(Column::Id.eq(id)).filter(Column::UserId.eq(user_id));
    if of_the_user.exec(db).await?.rows_affected > 0 {
        return Ok(true);
    }
    Ok(calendar_feeds::Entity::find_by_id(id).one(db).await?.is_none())
}

/// The calendar of a secret.
pub async fn by_token(
    db: &impl ConnectionTrait,
    token_hash: Vec<u8>,
) -> Result<Option<calendar_feeds::Model>, store::Error> {
    Ok(calendar_feeds::Entity::find().filter(calendar_feeds::Column::TokenHash.eq(token_hash)).one(db).await?)
}

/// Whether a staff member, here or gone, is one of a clinic.
pub async fn works_at(
    db: &impl ConnectionTrait,
    staff_id: StaffId,
    vendor_id: VendorId,
    clinic_id: ClinicId,
) -> Result<bool, store::Error> {
    let row = staff::Entity::find_by_id(staff_id).one(db).await?;
    Ok(row.is_some_and(|row| row.vendor_id == vendor_id && row.clinic_ids.0.contains(&clinic_id)))
}

// What a calendar has no place for is not read. The joined tables have one row each at the most.
const VISITS: &str = "
select booking.id, booking.customer_id, booking.reference, booking.version, booking.status, booking.service_name, booking.pet_name,
    clinic.name as clinic_name, booking.starts_at, booking.ends_at, booking.time_zone, booking.created_at,
    booking.updated_at
from bookings as booking left join clinics as clinic on clinic.id = booking.clinic_id
where {scope} and booking.starts_at >= $2 and (booking.status <> 'cancelled' or booking.updated_at >= $2)
order by booking.starts_at, booking.id limit $3";

#[derive(FromQueryResult)]
struct VisitRow {
    id: BookingId,
    customer_id: Option<UserId>,
    reference: String,
    version: i64,
    status: BookingStatus,
    service_name: String,
    pet_name: Option<SealedText>,
    clinic_name: Option<String>,
    starts_at: Instant,
    ends_at: Instant,
    time_zone: String,
    created_at: Instant,
    updated_at: Instant,
}

/// The visits of a calendar from `since` on, the earliest first; cancelled ones as far as they were cancelled since.
///
/// # Errors
/// A fault of the database, or rows that cannot be read.
pub async fn visits(
    people: &PersonKeys,
    db: &impl ConnectionTrait,
    scope: Scope,
    staff_id: Option<StaffId>,
    since: Instant,
) -> Result<Vec<Visit>, Fault> {
    let (column, owner): (&str, Value) = match scope {
        Scope::Customer(customer_id) => ("booking.customer_id = $1", customer_id.into()),
        Scope::Clinic(clinic_id) => ("booking.clinic_id = $1", clinic_id.into()),
    };
    let mut values = vec![owner, since.into(), MOST_VISITS.into()];
    let mut condition = column.to_owned();
    if let Some(staff_id) = staff_id {
        condition.push_str(" and booking.staff_id = $4");
        values.push(staff_id.into());
    }
    let query = statement(&VISITS.replace("{scope}", &condition), values);
    let rows = VisitRow::find_by_statement(query).all(db).await.map_err(store::Error::from)?;
    let with_names = rows.iter().filter(|row| row.pet_name.is_some());
    let keys = people.of_many(db, with_names.map(|row| texts::subject(row.id, row.customer_id))).await?;
    rows.into_iter().map(|row| visit(row, &keys)).collect()
}

fn visit(row: VisitRow, keys: &KeysOfMany) -> Result<Visit, Fault> {
    let key = keys.get(texts::subject(row.id, row.customer_id));
    Ok(Visit {
        id: row.id,
        reference: row.reference,
        version: row.version,
        status: row.status,
        service_name: row.service_name,
        pet_name: texts::open(key, row.id, Field::PetName, row.pet_name),
        // Empty where the clinic's events told no name yet.
        clinic_name: row.clinic_name.filter(|name| !name.is_empty()),
        starts_at: row.starts_at,
        ends_at: row.ends_at,
        time_zone: time_zone(&row.time_zone)?,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
