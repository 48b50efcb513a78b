//! The one way in which stock changes: by movements, each of which makes the next version of its stock.

use crate::entity::{inventory, stock_movements};
use std::collections::BTreeMap;
use subjects::Fault;
use subjects::catalog::{CatalogError, MAX_ON_HAND, MovementReason, StockActor};
use subjects::ids::{InventoryId, ReservationId, StockMovementId, UserId};
use subjects::time::Instant;

/// Who moves stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// In what capacity.
    pub kind: StockActor,
    /// The user, where a person does.
    pub user_id: Option<UserId>,
    /// The service, where another one does.
    pub service: Option<String>,
}

impl Actor {
    /// The platform by itself.
    pub fn system() -> Actor {
        Actor { kind: StockActor::System, user_id: None, service: None }
    }
}

/// What happens to a stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Why.
    pub reason: MovementReason,
    /// The reservation that it is for.
    pub reservation_id: Option<ReservationId>,
    /// How many pieces come or go.
    pub on_hand: i32,
    /// How many are promised, or are no more.
    pub reserved: i32,
    /// The reorder level from now on, where it becomes another.
    pub reorder_level: Option<i32>,
}

impl Step {
    /// Pieces that are promised, given back, or given out.
    pub fn of_reservation(reason: MovementReason, id: ReservationId, on_hand: i32, reserved: i32) -> Step {
        Step { reason, reservation_id: Some(id), on_hand, reserved, reorder_level: None }
    }
}

/// A movement with the stock as it was then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The movement.
    pub movement: stock_movements::Model,
    /// The stock after it.
    pub stock: inventory::Model,
    /// Whether it made the stock low, which it was not before.
    pub became_low: bool,
}

/// Stock that is locked, and what happens to it in a transaction.
#[derive(Debug, Clone)]
pub struct Ledger {
    rows: BTreeMap<InventoryId, inventory::Model>,
    /// The rows' versions as they were.
    builds_on: BTreeMap<InventoryId, i64>,
    moved: Vec<Moved>,
    now: Instant,
}

impl Ledger {
    /// Begins with the rows as they are.
    pub fn of(rows: impl IntoIterator<Item = inventory::Model>, now: Instant) -> Ledger {
        let rows: BTreeMap<InventoryId, inventory::Model> = rows.into_iter().map(|row| (row.id, row)).collect();
        let builds_on = rows.values().map(|row| (row.id, row.version)).collect();
        Ledger { rows, builds_on, moved: Vec::new(), now }
    }

    /// The rows as they have become.
    pub fn rows(&self) -> impl Iterator<Item = &inventory::Model> {
        self.rows.values()
    }

    /// One row as it has become.
    pub fn row(&self, id: InventoryId) -> Option<&inventory::Model> {
        self.rows.get(&id)
    }

    /// The version that a row had before anything happened.
    pub fn version_before(&self, id: InventoryId) -> Option<i64> {
        self.builds_on.get(&id).copied()
    }

    /// What has happened so far, in order.
    pub fn moved(&self) -> &[Moved] {
        &self.moved
    }

    /// When it happens.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Moves a stock.
    ///
    /// # Errors
    /// [`CatalogError::BelowReserved`] and [`CatalogError::TooMuchStock`]; internal where the row is not among them.
    pub fn apply(&mut self, id: InventoryId, step: Step, actor: &Actor) -> Result<(), CatalogError> {
        let Step { reason: _, reservation_id: _, on_hand, reserved, reorder_level } = step;
        let row = self.rows.get_mut(&id).ok_or_else(|| Fault::internal(format!("stock {id} is not locked")))?;
        // Both stay far below what the type holds.
        let (new_on_hand, new_reserved) = (row.on_hand.saturating_add(on_hand), row.reserved.saturating_add(reserved));
        if new_reserved < 0 {
            return Err(Fault::internal(format!("less than nothing of stock {id} would be reserved")).into());
        }
        if new_on_hand < new_reserved {
            return Err(CatalogError::BelowReserved);
        }
        if new_on_hand > MAX_ON_HAND {
            return Err(CatalogError::TooMuchStock);
        }
        let was_low = is_low(row);
        row.on_hand = new_on_hand;
        row.reserved = new_reserved;
        row.available = new_on_hand - new_reserved;
        row.reorder_level = reorder_level.unwrap_or(row.reorder_level);
        row.version += 1;
        row.updated_at = self.now;
        self.moved.push(Moved {
            movement: movement(row, step, actor),
            stock: row.clone(),
            became_low: is_low(row) && !was_low,
        });
        Ok(())
    }
}

/// The movement that has made a stock what it is.
pub fn movement(row: &inventory::Model, step: Step, actor: &Actor) -> stock_movements::Model {
    let Step { reason, reservation_id, on_hand, reserved, reorder_level: _ } = step;
    let Actor { kind, user_id, service } = actor.clone();
    stock_movements::Model {
        id: StockMovementId::new(),
        inventory_id: row.id,
        version: row.version,
        moved_at: row.updated_at,
        reason,
        actor: kind,
        actor_id: user_id,
        service,
        reservation_id,
        on_hand_change: on_hand,
        reserved_change: reserved,
        on_hand: row.on_hand,
        reserved: row.reserved,
        reorder_level: row.reorder_level,
    }
}

/// Whether it is time to order more.
pub fn is_low(row: &inventory::Model) -> bool {
    row.available <= row.reorder_level
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use subjects::ids::{ClinicId, ProductId, VariantId, VendorId};

    fn stock(on_hand: i32, reserved: i32, reorder_level: i32) -> inventory::Model {
        inventory::Model {
            id: InventoryId::new(),
            variant_id: VariantId::new(),
            product_id: ProductId::new(),
            vendor_id: VendorId::new(),
            clinic_id: ClinicId::new(),
            on_hand,
            reserved,
            available: on_hand - reserved,
            reorder_level,
            version: 7,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    fn step(on_hand: i32, reserved: i32, reorder_level: Option<i32>) -> Step {
        Step { reason: MovementReason::Corrected, reservation_id: None, on_hand, reserved, reorder_level }
    }

    #[test]
    fn each_movement_makes_a_version_and_low_is_a_crossing() {
        let row = stock(10, 2, 4);
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut ledger = Ledger::of([row.clone()], now);
        let steps = [step(0, 3, None), step(0, 1, None), step(0, 1, None), step(5, 0, None), step(0, 0, Some(8))];
        for step in steps {
            ledger.apply(row.id, step, &Actor::system()).unwrap();
        }
        let moved: Vec<_> = ledger.moved().iter().map(|one| (one.stock.available, one.became_low)).collect();
        assert_eq!(moved, [(5, false), (4, true), (3, false), (8, false), (8, true)]);
        let versions: Vec<i64> = ledger.moved().iter().map(|one| one.movement.version).collect();
        assert_eq!((versions, ledger.version_before(row.id)), (vec![8, 9, 10, 11, 12], Some(7)));
        assert_eq!(ledger.row(row.id).map(|row| (row.version, row.updated_at)), Some((12, now)));
    }

    #[test]
    fn what_cannot_be_is_refused_and_leaves_the_stock_alone() {
        let row = stock(10, 6, 0);
        let mut ledger = Ledger::of([row.clone()], DateTime::UNIX_EPOCH);
        let mut refusal = |step| ledger.apply(row.id, step, &Actor::system()).unwrap_err();
        assert_eq!(refusal(step(-5, 0, None)), CatalogError::BelowReserved);
        assert_eq!(refusal(step(0, 5, None)), CatalogError::BelowReserved);
        assert_eq!(refusal(step(MAX_ON_HAND, 0, None)), CatalogError::TooMuchStock);
        assert!(matches!(refusal(step(0, -7, None)), CatalogError::Fault(_)));
        assert_eq!((ledger.row(row.id), ledger.moved().len()), (Some(&row), 0));
    }
}
