//! Holds. The functions called here are in the migration, with the reasons for their order.

use super::claims::Wanted;
use crate::domain::offer::Period;
use crate::entity::holds;
use sea_orm::sea_query::Expr;
use sea_orm::{ConnectionTrait, EntityTrait, QueryFilter};
use store::{id_list, statement};
use subjects::booking::BookingError;
use subjects::ids::{HoldId, StaffId, UserId};
use subjects::time::Instant;
use uuid::Uuid;

/// How much one may hold at a time.
const AT_MOST: i32 = 5;

/// A hold that is to be made.
#[derive(Debug)]
pub struct NewHold {
    /// Its id.
    pub id: HoldId,
    /// Whose it is.
    pub user_id: UserId,
    /// The clinic's time zone.
    pub time_zone: String,
    /// Until when it lasts.
    pub expires_at: Instant,
    /// When it is made.
    pub created_at: Instant,
}

const HOLD: &str = "
with claimed as materialized (
    select session_id, staff_id, too_many
    from hold_session($1, $2, $3, string_to_array($4, ',')::uuid[], $5, $6, $7, $8, $9, $10, $11)
), made as (
    insert into holds
        (id, user_id, vendor_id, clinic_id, service_id, staff_id, session_id, starts_at, ends_at, time_zone,
         expires_at, created_at)
    select $12, $1, $5, $13, $6, staff_id, session_id, $7, $8, $14, $15, $16 from claimed where not too_many
)
select session_id, staff_id, too_many from claimed";

/// Claims time for a hold and stores it, in one round trip.
///
/// # Errors
/// [`BookingError::TooManyHolds`], or [`BookingError::SlotTaken`] where no candidate is free.
pub async fn make(
    db: &impl ConnectionTrait,
    hold: &NewHold,
    clinic_id: subjects::ids::ClinicId,
    wanted: Wanted<'_>,
) -> Result<holds::Model, BookingError> {
    let Wanted { candidates, vendor_id, service_id, period, capacity } = wanted;
    let Period { starts_at, ends_at, blocked_from, blocked_to } = period;
    let NewHold { id, user_id, time_zone, expires_at, created_at } = hold;
    let values = vec![
        (*user_id).into(),
        AT_MOST.into(),
        Uuid::now_v7().into(),
        id_list(candidates).into(),
        vendor_id.into(),
        service_id.into(),
        starts_at.into(),
        ends_at.into(),
        blocked_from.into(),
        blocked_to.into(),
        i32::from(capacity).into(),
        (*id).into(),
        clinic_id.into(),
        time_zone.clone().into(),
        (*expires_at).into(),
        (*created_at).into(),
    ];
    let row = db.query_one_raw(statement(HOLD, values)).await.map_err(store::Error::from)?;
    let row = row.ok_or(BookingError::SlotTaken)?;
    if row.try_get("", "too_many").map_err(store::Error::from)? {
        return Err(BookingError::TooManyHolds);
    }
    let session_id: Uuid = row.try_get("", "session_id").map_err(store::Error::from)?;
    let staff_id: StaffId = row.try_get("", "staff_id").map_err(store::Error::from)?;
    Ok(holds::Model {
        id: *id,
        user_id: *user_id,
        vendor_id,
        clinic_id,
        service_id,
        staff_id,
        session_id,
        starts_at,
        ends_at,
        time_zone: time_zone.clone(),
        expires_at: *expires_at,
        created_at: *created_at,
    })
}

/// A hold that still lasts.
pub async fn find(db: &impl ConnectionTrait, id: HoldId) -> Result<Option<holds::Model>, store::Error> {
    Ok(holds::Entity::find_by_id(id).filter(Expr::cust("expires_at > now()")).one(db).await?)
}

/// Gives held time back. False where the hold is somebody else's.
pub async fn release(db: &impl ConnectionTrait, id: HoldId, user_id: UserId) -> Result<bool, store::Error> {
    let release = statement("select release_hold($1, $2) as released", vec![id.into(), user_id.into()]);
    match db.query_one_raw(release).await? {
        Some(row) => Ok(row.try_get("", "released")?),
        None => Ok(false),
    }
}

/// Drops holds that have expired, at most so many, and tells how many there were.
pub async fn release_expired(db: &impl ConnectionTrait, at_most: i32) -> Result<i32, store::Error> {
    let release = statement("select release_expired_holds($1) as released", vec![at_most.into()]);
    match db.query_one_raw(release).await? {
        Some(row) => Ok(row.try_get("", "released")?),
        None => Ok(0),
    }
}
