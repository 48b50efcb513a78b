//! What the service answers, one module an aggregate.

pub mod addresses;
pub mod pets;
pub mod preferences;
pub mod profiles;
pub mod records;
pub mod shares;
pub mod snapshots;
