//! Rows of stock as messages.

use crate::entity::{inventory, reservations, stock_movements};
use subjects::catalog::{Inventory, Reservation, ReservedLine, StockMovement};

/// A stock.
pub fn inventory(row: &inventory::Model) -> Inventory {
    let inventory::Model {
        id,
        variant_id,
        product_id,
        vendor_id,
        clinic_id,
        on_hand,
        reserved,
        available,
        reorder_level,
        version,
        updated_at,
    } = *row;
    Inventory {
        id,
        variant_id,
        product_id,
        vendor_id,
        clinic_id,
        on_hand,
        reserved,
        available,
        reorder_level,
        updated_at,
        version,
    }
}

/// A movement.
pub fn movement(row: stock_movements::Model) -> StockMovement {
    let stock_movements::Model {
        id,
        inventory_id,
        version,
        moved_at,
        reason,
        actor,
        actor_id,
        service,
        reservation_id,
        on_hand_change,
        reserved_change,
        on_hand,
        reserved,
        reorder_level,
    } = row;
    StockMovement {
        id,
        inventory_id,
        version,
        at: moved_at,
        reason,
        actor,
        actor_id,
        service,
        reservation_id,
        on_hand_change,
        reserved_change,
        on_hand,
        reserved,
        reorder_level,
    }
}

/// A reservation with some of its lines.
pub fn reservation(row: reservations::Model, lines: Vec<ReservedLine>) -> Reservation {
    let reservations::Model { id, version, status, service, user_id, expires_at, created_at, updated_at } = row;
    Reservation { id, status, lines, service, user_id, expires_at, created_at, updated_at, version }
}

/// Pieces of a stock that a reservation keeps.
pub fn reserved_line(stock: &inventory::Model, quantity: i32) -> ReservedLine {
    ReservedLine {
        inventory_id: stock.id,
        variant_id: stock.variant_id,
        product_id: stock.product_id,
        vendor_id: stock.vendor_id,
        clinic_id: stock.clinic_id,
        quantity: quantity.unsigned_abs(),
    }
}
