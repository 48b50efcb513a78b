//! Reservations and what they keep. Whoever locks reservations and stock locks the reservations first; see the migration.

use crate::domain::stock::Share;
use crate::entity::{inventory, reservation_lines, reservations};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, FromQueryResult as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, Statement,
};
use serde_json::json;
use store::{id_list, statement};
use subjects::Fault;
use subjects::catalog::{ReservationStatus, StockLine};
use subjects::ids::{InventoryId, ReservationId};
use subjects::time::Instant;

/// How many reservations are ended at the most on behalf of one that wants their stock. The sweep takes the rest.
const MAKING_WAY: i32 = 500;

/// One reservation.
pub async fn find(db: &impl ConnectionTrait, id: ReservationId) -> Result<Option<reservations::Model>, store::Error> {
    Ok(reservations::Entity::find_by_id(id).one(db).await?)
}

/// One reservation, held against changes by others until the transaction ends.
pub async fn lock(db: &impl ConnectionTrait, id: ReservationId) -> Result<Option<reservations::Model>, store::Error> {
    Ok(reservations::Entity::find_by_id(id).lock_exclusive().one(db).await?)
}

/// What a reservation keeps or kept, with the stock as it is now, in the order of its ids.
pub async fn kept(
    db: &impl ConnectionTrait,
    id: ReservationId,
) -> Result<Vec<(reservation_lines::Model, inventory::Model)>, store::Error> {
    use reservation_lines::Column;
    let lines = reservation_lines::Entity::find()
        .filter(Column::ReservationId.eq(id))
        .order_by_asc(Column::InventoryId)
        .all(db)
        .await?;
    let ids: Vec<InventoryId> = lines.iter().map(|line| line.inventory_id).collect();
    let stock = inventory::Entity::find()
        .filter(inventory::Column::Id.is_in(ids))
        .order_by_asc(inventory::Column::Id)
        .all(db)
        .await?;
    // Each line has its stock, by a foreign key, and both are in one order.
    Ok(lines.into_iter().zip(stock).collect())
}

// Others may be ending the same ones: they are waited for, and what they have ended is not found any more. All wait in
// the order of the ids, so that nobody waits in a circle.
const LOCK_EXPIRED_IN_THE_WAY: &str = "
with expired as materialized (
    select reservation.id from reservations as reservation
    where reservation.status = 'active' and reservation.expires_at <= now()
        and exists (
            select from reservation_lines as line join inventory as stock on stock.id = line.inventory_id
            where line.reservation_id = reservation.id
                and (stock.variant_id = any (string_to_array($1, ',')::uuid[])
                    or stock.id = any (string_to_array($2, ',')::uuid[]))
        )
    order by reservation.id limit $3 for update of reservation
)
select line.reservation_id, line.inventory_id, line.quantity
from expired join reservation_lines as line on line.reservation_id = expired.id
order by line.reservation_id, line.inventory_id";

/// Locks the expired reservations that keep what is wanted, or some stock, and answers what they keep.
pub async fn lock_expired_in_the_way(
    db: &impl ConnectionTrait,
    lines: &[StockLine],
    ids: &[InventoryId],
) -> Result<Vec<reservation_lines::Model>, store::Error> {
    let values = vec![id_list(lines.iter().map(|line| line.variant_id)).into(), id_list(ids).into(), MAKING_WAY.into()];
    read_lines(db, statement(LOCK_EXPIRED_IN_THE_WAY, values)).await
}

const LOCK_EXPIRED: &str = "
with expired as materialized (
    select id from reservations where status = 'active' and expires_at <= now()
    order by expires_at, id limit $1 for update skip locked
)
select line.reservation_id, line.inventory_id, line.quantity
from expired join reservation_lines as line on line.reservation_id = expired.id
order by line.reservation_id, line.inventory_id";

/// Locks expired reservations, at most so many, and answers what they keep. Those that somebody holds are passed over.
pub async fn lock_expired(
    db: &impl ConnectionTrait,
    at_most: i32,
) -> Result<Vec<reservation_lines::Model>, store::Error> {
    read_lines(db, statement(LOCK_EXPIRED, vec![at_most.into()])).await
}

async fn read_lines(
    db: &impl ConnectionTrait,
    statement: Statement,
) -> Result<Vec<reservation_lines::Model>, store::Error> {
    let mut lines = Vec::new();
    for row in db.query_all_raw(statement).await? {
        lines.push(reservation_lines::Model::from_query_result(&row, "")?);
    }
    Ok(lines)
}

const MAKE: &str = "
with made as (
    insert into reservations (id, version, status, service, user_id, expires_at, created_at, updated_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
)
insert into reservation_lines (reservation_id, inventory_id, quantity)
select $1, line.inventory_id, line.quantity
from jsonb_to_recordset($9::jsonb) as line (inventory_id uuid, quantity integer)";

/// Stores a new reservation with what it keeps.
pub async fn insert(db: &impl ConnectionTrait, row: &reservations::Model, shares: &[Share]) -> Result<(), Fault> {
    let reservations::Model { id, version, status, service, user_id, expires_at, created_at, updated_at } = row.clone();
    let lines: Vec<serde_json::Value> =
        shares.iter().map(|share| json!({ "inventory_id": share.id, "quantity": share.quantity })).collect();
    let values = vec![
        id.into(),
        version.into(),
        status.into(),
        service.into(),
        user_id.into(),
        expires_at.into(),
        created_at.into(),
        updated_at.into(),
        serde_json::to_string(&lines).map_err(Fault::internal)?.into(),
    ];
    db.execute_raw(statement(MAKE, values)).await.map_err(store::Error::from)?;
    Ok(())
}

const END: &str = "
update reservations set status = $2, version = version + 1, updated_at = $3
where id = any (string_to_array($1, ',')::uuid[]) and status = 'active'";

/// Ends active reservations that are locked.
pub async fn end(
    db: &impl ConnectionTrait,
    ids: &[ReservationId],
    status: ReservationStatus,
    now: Instant,
) -> Result<(), store::Error> {
    let values = vec![id_list(ids).into(), status.into(), now.into()];
    let ended = db.execute_raw(statement(END, values)).await?.rows_affected();
    if usize::try_from(ended) != Ok(ids.len()) {
        return Err(DbErr::RecordNotUpdated.into());
    }
    Ok(())
}
