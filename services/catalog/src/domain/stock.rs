//! Which stock serves what is wanted: everything, or nothing with what is short.

use std::collections::BTreeMap;
use subjects::Violation;
use subjects::catalog::StockLine;
use subjects::ids::{ClinicId, InventoryId, VariantId};

/// What can be promised of a variant at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shelf {
    /// The stock.
    pub id: InventoryId,
    /// The variant.
    pub variant_id: VariantId,
    /// The place.
    pub clinic_id: ClinicId,
    /// How many pieces.
    pub available: i32,
}

impl Shelf {
    /// Whether it is what somebody wants, at a place or anywhere.
    pub fn serves(&self, variant_id: VariantId, clinic_id: Option<ClinicId>) -> bool {
        self.variant_id == variant_id && clinic_id.is_none_or(|clinic_id| clinic_id == self.clinic_id)
    }
}

/// Pieces that are taken from one stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The stock.
    pub id: InventoryId,
    /// How many pieces; at least one.
    pub quantity: i32,
}

/// A line that cannot be served, with all that want the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortage {
    /// Which line it is, counted from zero.
    pub line: usize,
    /// How many pieces it and the others want together.
    pub wanted: i64,
    /// How many there are for them.
    pub available: i64,
}

impl Shortage {
    /// As a refusal says it.
    pub fn violation(self) -> Violation {
        let Shortage { line, wanted, available } = self;
        Violation::new(format!("/lines/{line}"), format!("{wanted} wanted, {available} available"))
    }
}

/// What is wanted of a variant, at a place or anywhere.
type Want = (VariantId, Option<ClinicId>);

/// The shares of stock that serve all lines, one a stock, in the order of the stocks' ids.
///
/// Lines that name a place are served from it first. What is then left serves those that name none, from the place with
/// most of it, and from the next one for what is missing: so all are served whenever they can be.
///
/// # Errors
/// Every line that is short, in order.
pub fn allocate(lines: &[StockLine], shelves: &[Shelf]) -> Result<Vec<Share>, Vec<Shortage>> {
    let mut left: BTreeMap<InventoryId, i64> =
        shelves.iter().map(|shelf| (shelf.id, i64::from(shelf.available.max(0)))).collect();
    let mut taken: BTreeMap<InventoryId, i64> = BTreeMap::new();
    let mut short: BTreeMap<Want, (i64, i64)> = BTreeMap::new();

    // Wants that name a place come first.
    let mut wants: Vec<(Want, i64)> = summed(lines).into_iter().collect();
    wants.sort_by_key(|((_, clinic_id), _)| clinic_id.is_none());
    for (want, wanted) in wants {
        let mut serving: Vec<(i64, InventoryId)> = shelves
            .iter()
            .filter(|shelf| shelf.serves(want.0, want.1))
            .map(|shelf| (left.get(&shelf.id).copied().unwrap_or_default(), shelf.id))
            .collect();
        // The fullest first; among equals the oldest.
        serving.sort_by_key(|(available, id)| (-available, *id));
        let available: i64 = serving.iter().map(|(available, _)| available).sum();
        if available < wanted {
            short.insert(want, (wanted, available));
            continue;
        }
        let mut missing = wanted;
        for (available, id) in serving {
            let share = available.min(missing);
            if share > 0 {
                *left.entry(id).or_default() -= share;
                *taken.entry(id).or_default() += share;
                missing -= share;
            }
        }
    }
    if short.is_empty() {
        let shares =
            taken.into_iter().map(|(id, quantity)| Share { id, quantity: i32::try_from(quantity).unwrap_or(i32::MAX) });
        return Ok(shares.collect());
    }
    let shortages = lines.iter().enumerate().filter_map(|(line, stock_line)| {
        let (wanted, available) = *short.get(&(stock_line.variant_id, stock_line.clinic_id))?;
        Some(Shortage { line, wanted, available })
    });
    Err(shortages.collect())
}

fn summed(lines: &[StockLine]) -> BTreeMap<Want, i64> {
    let mut wants = BTreeMap::new();
    for line in lines {
        *wants.entry((line.variant_id, line.clinic_id)).or_default() += i64::from(line.quantity);
    }
    wants
}

#[cfg(test)]
#[path = "stock_tests.rs"]
mod tests;
