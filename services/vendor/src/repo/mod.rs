//! Reading and writing rows. What writes an aggregate also puts its event into the outbox, so that no change can
//! be made without being told.

pub mod availability;
pub mod clinic_search;
pub mod clinics;
pub mod hours;
pub mod memberships;
pub mod privacy;
pub mod query;
pub mod registrations;
pub mod services;
pub mod snapshots;
pub mod staff;
pub mod staff_search;
pub mod text_search;
pub mod vendors;

use sea_orm::DbErr;
use subjects::Fault;

/// A number as a column holds it. The contract keeps it far below; the database would refuse a larger one.
fn whole(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A failure of the database as a fault, where nothing better is known of it.
fn failed(error: DbErr) -> Fault {
    Fault::from(store::Error::from(error))
}
