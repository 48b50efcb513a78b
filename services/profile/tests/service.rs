//! The profile service over a real nats-server and Postgres, with the permissions and the role that it has in production,
//! asked as the edge and as other services ask it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test, as the tests themselves do"
)]

#[path = "service/household.rs"]
mod household;
#[path = "service/world.rs"]
mod world;

#[path = "service/addresses.rs"]
mod addresses;
#[path = "service/bad_input.rs"]
mod bad_input;
#[path = "service/pets.rs"]
mod pets;
#[path = "service/preferences.rs"]
mod preferences;
#[path = "service/privacy.rs"]
mod privacy;
#[path = "service/profiles.rs"]
mod profiles;
#[path = "service/races.rs"]
mod races;
#[path = "service/read_models.rs"]
mod read_models;
#[path = "service/rebuilding.rs"]
mod rebuilding;
#[path = "service/records.rs"]
mod records;
#[path = "service/seed.rs"]
mod seed;
#[path = "service/shares.rs"]
mod shares;
#[path = "service/snapshots.rs"]
mod snapshots;
#[path = "service/tenancy.rs"]
mod tenancy;
