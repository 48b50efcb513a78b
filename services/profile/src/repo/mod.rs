//! Queries and statements, by what they are about. What writes an aggregate also puts its event into the outbox, so that
//! no change can be made without being told.

pub mod addresses;
pub mod bookings;
pub mod by_age;
pub mod person;
pub mod pets;
pub mod preferences;
pub mod profiles;
pub mod records;
pub mod shares;
pub mod snapshots;

use sea_orm::DbErr;
use subjects::Fault;

/// A failure of the database as a fault, where nothing better is known of it.
fn failed(error: DbErr) -> Fault {
    Fault::from(store::Error::from(error))
}
