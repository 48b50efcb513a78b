//! Stock that is locked to be moved, with what has expired given back first.

use crate::domain::ledger::{Actor, Ledger, Step};
use crate::entity::reservation_lines;
use crate::repo;
use crate::stock_access::Reach;
use store::Tx;
use subjects::catalog::{CatalogError, MovementReason, ReservationStatus, StockLine};
use subjects::ids::{InventoryId, ReservationId};

/// Locks the stock within reach that could serve some lines, and the stock with some ids. Whoever wants stock has
/// expired reservations of it ended first, which may lock stock beyond.
pub async fn for_moving(
    tx: &Tx,
    lines: &[StockLine],
    reach: &Reach,
    ids: &[InventoryId],
) -> Result<Ledger, CatalogError> {
    let expired = repo::reservations::lock_expired_in_the_way(tx, lines, ids).await?;
    let mut to_lock = ids.to_vec();
    to_lock.extend(expired.iter().map(|line| line.inventory_id));
    let rows = repo::inventory::lock(tx, lines, reach, &to_lock).await?;
    let mut ledger = Ledger::of(rows, store::now());
    give_back(tx, &mut ledger, &expired).await?;
    Ok(ledger)
}

/// Locks what some expired reservations keep, which are locked already, and gives it back.
pub async fn of_expired(tx: &Tx, expired: &[reservation_lines::Model]) -> Result<Ledger, CatalogError> {
    let ids: Vec<InventoryId> = expired.iter().map(|line| line.inventory_id).collect();
    let rows = repo::inventory::lock(tx, &[], &Reach::Everywhere, &ids).await?;
    let mut ledger = Ledger::of(rows, store::now());
    give_back(tx, &mut ledger, expired).await?;
    Ok(ledger)
}

/// Ends expired reservations in the ledger, which is still to be saved, and in their own rows.
async fn give_back(tx: &Tx, ledger: &mut Ledger, expired: &[reservation_lines::Model]) -> Result<(), CatalogError> {
    if expired.is_empty() {
        return Ok(());
    }
    let mut ended: Vec<ReservationId> = Vec::new();
    for line in expired {
        let step = Step::of_reservation(MovementReason::Expired, line.reservation_id, 0, -line.quantity);
        ledger.apply(line.inventory_id, step, &Actor::system())?;
        if ended.last() != Some(&line.reservation_id) {
            ended.push(line.reservation_id);
        }
    }
    repo::reservations::end(tx, &ended, ReservationStatus::Expired, ledger.now()).await?;
    Ok(())
}
