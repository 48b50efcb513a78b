//! `inventory.check`, `inventory.reserve`, `inventory.commit`, `inventory.release` and `reservation.findOne`.

use crate::domain::ledger::{Actor, Ledger, Step};
use crate::domain::reservation::{Ending, ends_now};
use crate::domain::stock::{Share, Shelf, Shortage, allocate};
use crate::entity::{inventory, reservation_lines, reservations};
use crate::stock_access::{self, Reach};
use crate::{Cx, convert_stock, repo, stock_lock};
use identity::Caller;
use std::time::Duration;
use store::{HasStore as _, Tx};
use subjects::Fault;
use subjects::catalog::{
    CatalogError, CheckInventory, CheckedLine, CommitReservation, GetReservation, MovementReason, ReleaseReservation,
    Reservation, ReservationStatus, ReserveInventory, ReservedLine, StockCheck, StockLine,
};
use subjects::ids::ReservationId;

/// Whether there is enough.
pub async fn check(cx: Cx, request: CheckInventory) -> Result<StockCheck, CatalogError> {
    let db = cx.app.store().read();
    let reach = Reach::of(db, cx.caller()).await?;
    let rows = repo::inventory::that_serves(db, &request.lines, &reach).await?;
    let shelves: Vec<Shelf> = rows.iter().map(shelf).collect();
    let short: Vec<Shortage> = allocate(&request.lines, &shelves).err().unwrap_or_default();
    let lines = request.lines.into_iter().enumerate().map(|(number, line)| {
        let StockLine { variant_id, quantity, clinic_id } = line;
        let serving = shelves.iter().filter(|shelf| shelf.serves(variant_id, clinic_id));
        let available: i64 = serving.map(|shelf| i64::from(shelf.available)).sum();
        let available = u32::try_from(available).unwrap_or(u32::MAX);
        let enough = short.iter().all(|shortage| shortage.line != number);
        CheckedLine { variant_id, clinic_id, quantity, available, enough }
    });
    Ok(StockCheck { enough: short.is_empty(), lines: lines.collect() })
}

/// Keeps stock: all lines, or none.
pub async fn reserve(cx: Cx, request: ReserveInventory) -> Result<Reservation, CatalogError> {
    let (cx, request) = (&cx, &request);
    let made = cx.app.store().keyed(cx, request, |tx| async move {
        let reach = Reach::of(&tx, cx.caller()).await?;
        let actor = stock_access::actor(cx.caller())?;
        let mut ledger = stock_lock::for_moving(&tx, &request.lines, &reach, &[]).await?;
        let shares = shares(&request.lines, &ledger, &reach)?;

        let id = ReservationId::new();
        for share in &shares {
            let step = Step::of_reservation(MovementReason::Reserved, id, 0, share.quantity);
            ledger.apply(share.id, step, &actor)?;
        }
        let seconds = request.expires_in_seconds.map(|seconds| Duration::from_secs(u64::from(seconds)));
        let lasts = seconds.unwrap_or(cx.app.config.reservation_time());
        let row = new_reservation(id, actor, &ledger, lasts);
        repo::reservations::insert(&tx, &row, &shares).await?;
        repo::ledger::save(&tx, &ledger).await?;
        Ok(convert_stock::reservation(row, lines(&ledger, &shares)))
    });
    made.await
}

/// What serves the lines.
fn shares(lines: &[StockLine], ledger: &Ledger, reach: &Reach) -> Result<Vec<Share>, CatalogError> {
    // Stock beyond the caller's reach is there where something in it has just expired.
    let shelves: Vec<Shelf> = ledger.rows().filter(|row| reach.covers_stock(row)).map(shelf).collect();
    if matches!(reach, Reach::Places(_)) {
        let is_there = |line: &StockLine| shelves.iter().any(|shelf| shelf.serves(line.variant_id, line.clinic_id));
        if !lines.iter().all(is_there) {
            return Err(CatalogError::InventoryNotFound);
        }
    }
    allocate(lines, &shelves)
        .map_err(|short| CatalogError::OutOfStock(short.into_iter().map(Shortage::violation).collect()))
}

fn shelf(row: &inventory::Model) -> Shelf {
    Shelf { id: row.id, variant_id: row.variant_id, clinic_id: row.clinic_id, available: row.available }
}

fn new_reservation(id: ReservationId, actor: Actor, ledger: &Ledger, lasts: Duration) -> reservations::Model {
    let Actor { kind: _, user_id, service } = actor;
    let now = ledger.now();
    let status = ReservationStatus::Active;
    let expires_at = now + lasts;
    reservations::Model { id, version: 1, status, service, user_id, expires_at, created_at: now, updated_at: now }
}

fn lines(ledger: &Ledger, shares: &[Share]) -> Vec<ReservedLine> {
    let lines = shares.iter().filter_map(|share| {
        let stock = ledger.row(share.id)?;
        Some(convert_stock::reserved_line(stock, share.quantity))
    });
    lines.collect()
}

/// Gives the pieces out.
pub async fn commit(cx: Cx, request: CommitReservation) -> Result<Reservation, CatalogError> {
    end(&cx, request.id, Ending::Commit).await
}

/// Gives the pieces back.
pub async fn release(cx: Cx, request: ReleaseReservation) -> Result<Reservation, CatalogError> {
    end(&cx, request.id, Ending::Release).await
}

async fn end(cx: &Cx, id: ReservationId, ending: Ending) -> Result<Reservation, CatalogError> {
    let ended = cx.app.store().write(cx, |tx| async move {
        let mut row = repo::reservations::lock(&tx, id).await?.ok_or(CatalogError::ReservationNotFound)?;
        let kept = repo::reservations::kept(&tx, id).await?;
        check_may_end(&tx, cx.caller(), &row, &kept).await?;
        if ends_now(row.status, row.expires_at, ending, store::now())? {
            store::expect_version_if_given(cx.meta().if_match, row.version)?;
            row.updated_at = move_kept(&tx, &kept, ending, &stock_access::actor(cx.caller())?).await?;
            row.status = ending.status();
            row.version += 1;
            repo::reservations::end(&tx, &[id], row.status, row.updated_at).await?;
        }
        let lines = kept.iter().map(|(line, stock)| convert_stock::reserved_line(stock, line.quantity)).collect();
        Ok(convert_stock::reservation(row, lines))
    });
    ended.await
}

/// Moves what a reservation keeps, and answers when.
async fn move_kept(
    tx: &Tx,
    kept: &[(reservation_lines::Model, inventory::Model)],
    ending: Ending,
    actor: &Actor,
) -> Result<subjects::time::Instant, CatalogError> {
    let ids: Vec<_> = kept.iter().map(|(line, _)| line.inventory_id).collect();
    let rows = repo::inventory::lock(tx, &[], &Reach::Everywhere, &ids).await?;
    let mut ledger = Ledger::of(rows, store::now());
    for (line, _) in kept {
        let on_hand = match ending {
            Ending::Commit => -line.quantity,
            Ending::Release => 0,
        };
        let step = Step::of_reservation(ending.reason(), line.reservation_id, on_hand, -line.quantity);
        ledger.apply(line.inventory_id, step, actor)?;
    }
    repo::ledger::save(tx, &ledger).await?;
    Ok(ledger.now())
}

/// The service that made it; where none did, those who work at all of its places.
async fn check_may_end(
    tx: &Tx,
    caller: &Caller,
    row: &reservations::Model,
    kept: &[(reservation_lines::Model, inventory::Model)],
) -> Result<(), CatalogError> {
    if let Some(service) = caller.trusted_service() {
        let made_it = row.service.as_deref() == Some(service);
        return if made_it { Ok(()) } else { Err(CatalogError::ReservationNotFound) };
    }
    let reach = Reach::of_user(tx, caller).await?;
    if !kept.iter().any(|(_, stock)| reach.covers_stock(stock)) {
        return Err(CatalogError::ReservationNotFound);
    }
    let covers_all = kept.iter().all(|(_, stock)| reach.covers_stock(stock));
    if row.service.is_none() && covers_all { Ok(()) } else { Err(Fault::forbidden().into()) }
}

/// One reservation, with the lines that the caller may see.
pub async fn find_one(cx: Cx, request: GetReservation) -> Result<Reservation, CatalogError> {
    let db = cx.app.store().read();
    let row = repo::reservations::find(db, request.id).await?.ok_or(CatalogError::ReservationNotFound)?;
    if cx.caller().trusted_service().is_some_and(|service| row.service.as_deref() != Some(service)) {
        return Err(CatalogError::ReservationNotFound);
    }
    let reach = Reach::of(db, cx.caller()).await?;
    let mut lines = Vec::new();
    for (line, stock) in repo::reservations::kept(db, request.id).await? {
        if reach.covers_stock(&stock) {
            lines.push(convert_stock::reserved_line(&stock, line.quantity));
        }
    }
    if lines.is_empty() {
        return Err(CatalogError::ReservationNotFound);
    }
    Ok(convert_stock::reservation(row, lines))
}
