//! What is kept of a customer, found and forgotten.

use crate::entity::{bookings, calendar_feeds, holds};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use store::{Error, statement};
use subjects::booking::BookingStatus;
use subjects::ids::{HoldId, UserId};
use subjects::time::Instant;

/// A customer's visits to come, held against changes by others until the transaction ends, at most `limit`.
pub async fn lock_visits_to_come(
    db: &impl ConnectionTrait,
    user_id: UserId,
    now: Instant,
    limit: u64,
) -> Result<Vec<bookings::Model>, Error> {
    use bookings::Column;
    let query = bookings::Entity::find()
        .filter(Column::CustomerId.eq(user_id))
        .filter(Column::StartsAt.gt(now))
        .filter(Column::Status.is_in([BookingStatus::Pending, BookingStatus::Confirmed]))
        .order_by_asc(Column::Id)
        .limit(limit)
        .lock_exclusive();
    Ok(query.all(db).await?)
}

/// All of a user's holds.
pub async fn holds_of(db: &impl ConnectionTrait, user_id: UserId) -> Result<Vec<HoldId>, Error> {
    let rows = holds::Entity::find().filter(holds::Column::UserId.eq(user_id)).all(db).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Removes all of a user's calendars.
pub async fn remove_calendars(db: &impl ConnectionTrait, user_id: UserId) -> Result<(), Error> {
    calendar_feeds::Entity::delete_many().filter(calendar_feeds::Column::UserId.eq(user_id)).exec(db).await?;
    Ok(())
}

/// Forgets the texts of a customer's bookings that are not sealed, but for the platform's own sentence.
pub async fn forget_texts(db: &impl ConnectionTrait, user_id: UserId, own_sentence: &'static str) -> Result<(), Error> {
    db.execute_raw(statement("select forget_customer($1, $2)", vec![user_id.into(), own_sentence.into()])).await?;
    Ok(())
}
