//! Which time is taken, for those who look for free time.

use crate::domain::slots::Claim;
use sea_orm::{ConnectionTrait, QueryResult};
use store::{id_list, statement};
use subjects::ids::{ServiceId, StaffId};
use subjects::time::Instant;

// Asked a staff member at a time, since the index that finds overlaps cannot be asked for several at once. Claims that
// have expired, and are still there until somebody wants their time or they are swept away, do not count. There are
// few of them.
const TAKEN: &str = "
with expired as materialized (
    select session_id, count(*) as places
    from (
        select session_id from bookings where status = 'pending' and expires_at <= now() and session_id is not null
        union all
        select session_id from holds where expires_at <= now()
    ) as gone
    group by session_id
)
select held.staff_id, held.service_id, held.starts_at, held.ends_at, held.blocked_from, held.blocked_to,
    held.taken - coalesce(expired.places, 0) < held.capacity as has_room
from unnest(string_to_array($1, ',')::uuid[]) as member (id)
join sessions as held
    on held.staff_id = member.id and tstzrange(held.blocked_from, held.blocked_to) && tstzrange($2, $3)
left join expired on expired.session_id = held.id
where held.taken > coalesce(expired.places, 0)";

/// The live claims on the time of some staff members that touch a stretch of time.
pub async fn taken(
    db: &impl ConnectionTrait,
    staff_ids: impl Iterator<Item = StaffId>,
    from: Instant,
    to: Instant,
) -> Result<Vec<Claim>, store::Error> {
    let values = vec![id_list(staff_ids).into(), from.into(), to.into()];
    let rows = db.query_all_raw(statement(TAKEN, values)).await?;
    rows.iter().map(claim).collect()
}

// By place, since there can be thousands.
fn claim(row: &QueryResult) -> Result<Claim, store::Error> {
    Ok(Claim {
        staff_id: row.try_get_by_index(0)?,
        service_id: row.try_get_by_index::<ServiceId>(1)?,
        starts_at: row.try_get_by_index(2)?,
        ends_at: row.try_get_by_index(3)?,
        blocked_from: row.try_get_by_index(4)?,
        blocked_to: row.try_get_by_index(5)?,
        has_room: row.try_get_by_index(6)?,
    })
}
