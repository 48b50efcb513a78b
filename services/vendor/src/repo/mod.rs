//! Reading and writing rows. What writes an aggregate also puts its event into the outbox, so that no change can
//! be made without being told.

pub mod clinic_search;
pub mod clinics;
pub mod hours;
pub mod memberships;
pub mod query;
pub mod registrations;
pub mod services;
pub mod staff;
pub mod text_search;
pub mod vendors;

use sea_orm::DbErr;
use subjects::Fault;

/// A failure of the database as a fault, where nothing better is known of it.
fn failed(error: DbErr) -> Fault {
    Fault::from(store::Error::from(error))
}
