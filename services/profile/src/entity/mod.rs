//! The tables of the schema `profile`.

pub mod addresses;
pub mod bookings;
pub mod pet_records;
pub mod pet_shares;
pub mod pets;
pub mod preferences;
pub mod profiles;
