//! The tables as rows. Constraints and indexes live in the migrations.

pub mod inventory;
pub mod product_categories;
pub mod reservation_lines;
pub mod reservations;
pub mod stock_movements;
pub mod vendors;
