//! What is known of bookings: which clinic's staff may deal with a pet.

use sea_orm::ConnectionTrait;
use store::statement;
use subjects::ids::{ClinicId, PetId, UserId, VendorId};
use subjects::time::Instant;

/// The latest visit of a pet at a clinic where a user works: one that is to come, or that ended after `$3`. A confirmed
/// visit that nobody ever completed gives no rights for ever.
const WORKPLACE: &str = "
select booking.vendor_id, booking.clinic_id
from bookings as booking
    join memberships as membership on membership.vendor_id = booking.vendor_id
        and (membership.clinic_id is null or membership.clinic_id = booking.clinic_id)
where booking.pet_id = $1 and membership.user_id = $2 and membership.active
    and membership.role in ('clinic_staff', 'clinic_admin')
    and booking.status in ('pending', 'confirmed', 'completed') and booking.ends_at > $3
order by booking.ends_at desc limit 1";

/// A clinic where a pet has a booking and a user works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workplace {
    /// Its vendor.
    pub vendor_id: VendorId,
    /// The clinic.
    pub clinic_id: ClinicId,
}

/// Where a user has to do with a pet as staff: at a clinic where it has a booking that is to come or ended after `since`.
pub async fn workplace(
    db: &impl ConnectionTrait,
    pet_id: PetId,
    user_id: UserId,
    since: Instant,
) -> Result<Option<Workplace>, store::Error> {
    let values = vec![pet_id.into(), user_id.into(), since.into()];
    let Some(row) = db.query_one_raw(statement(WORKPLACE, values)).await? else { return Ok(None) };
    Ok(Some(Workplace { vendor_id: row.try_get_by_index(0)?, clinic_id: row.try_get_by_index(1)? }))
}
