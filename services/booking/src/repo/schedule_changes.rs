//! Changes of a vendor's schedule, and the bookings that they may touch.

use crate::entity::bookings;
use sea_orm::sea_query::{LockBehavior, LockType};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use store::{id_list, statement};
use subjects::booking::BookingStatus;
use subjects::ids::{BookingId, ClinicId, ServiceId, StaffId, VendorId};

/// What a change is of: the bookings of it are the ones that it may touch.
#[derive(Debug, Clone, Copy)]
pub enum Touched {
    /// All that is the vendor's.
    Vendor,
    /// A clinic, or its hours.
    Clinic(ClinicId),
    /// A service.
    Service(ServiceId),
    /// A staff member.
    Staff(StaffId),
}

/// Waits for those who claim time on what they know of a vendor's schedule, and keeps others from it, until the
/// transaction ends.
pub async fn lock(db: &impl ConnectionTrait, vendor_id: VendorId) -> Result<(), store::Error> {
    db.execute_raw(statement("select lock_schedule($1)", vec![vendor_id.into()])).await?;
    Ok(())
}

// The clock rather than the beginning of the transaction, which may have waited for the lock.
const NOTE: &str = "
insert into schedule_changes (vendor_id, changed_at) values ($1, clock_timestamp())
on conflict (vendor_id) do update set changed_at = excluded.changed_at";

// Marked ones are marked again: somebody may be about to remove the mark, who has not seen this change.
const MARK: &str = "
update bookings set schedule_changed = true
where vendor_id = $1 and status in ('pending', 'confirmed') and ends_at > now()
    and ($2::uuid is null or clinic_id = $2) and ($3::uuid is null or service_id = $3)
    and ($4::uuid is null or staff_id = $4)";

/// Notes that a vendor's schedule has changed, whose lock is held, and marks the bookings that have to be looked at.
pub async fn note(db: &impl ConnectionTrait, vendor_id: VendorId, touched: Touched) -> Result<(), store::Error> {
    db.execute_raw(statement(NOTE, vec![vendor_id.into()])).await?;
    let (clinic_id, service_id, staff_id) = match touched {
        Touched::Vendor => (None, None, None),
        Touched::Clinic(clinic_id) => (Some(clinic_id), None, None),
        Touched::Service(service_id) => (None, Some(service_id), None),
        Touched::Staff(staff_id) => (None, None, Some(staff_id)),
    };
    let values = vec![vendor_id.into(), clinic_id.into(), service_id.into(), staff_id.into()];
    db.execute_raw(statement(MARK, values)).await?;
    Ok(())
}

/// Marked bookings, held against changes by others until the transaction ends, at most `limit`. Those that somebody
/// holds already are passed over, and so are those that wait to be checked with the vendor service anyway.
pub async fn lock_marked(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<bookings::Model>, store::Error> {
    use bookings::Column;
    let query = bookings::Entity::find()
        .filter(Column::ScheduleChanged.eq(true))
        .filter(Column::NeedsCheck.eq(false))
        .filter(Column::Status.is_in([BookingStatus::Pending, BookingStatus::Confirmed]))
        .order_by_asc(Column::Id)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    Ok(query.all(db).await?)
}

/// Removes the mark of bookings that are held.
pub async fn unmark(db: &impl ConnectionTrait, ids: &[BookingId]) -> Result<(), store::Error> {
    let unmark = "update bookings set schedule_changed = false where id = any(string_to_array($1, ',')::uuid[])";
    db.execute_raw(statement(unmark, vec![id_list(ids).into()])).await?;
    Ok(())
}
