//! The booking service over a real nats-server and a real Postgres, with the permissions and roles that it has in
//! production. What it knows of vendors comes from vendor's events, published as vendor publishes them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may, and the lints' own exception covers only the test functions themselves"
)]

#[path = "booking/asking.rs"]
mod asking;
#[path = "booking/clinic.rs"]
mod clinic;
#[path = "booking/owners.rs"]
mod owners;
#[path = "booking/profile_seat.rs"]
mod profile_seat;
#[path = "booking/vendor_seat.rs"]
mod vendor_seat;
#[path = "booking/watch.rs"]
mod watch;
#[path = "booking/world.rs"]
mod world;

#[path = "booking/access.rs"]
mod access;
#[path = "booking/attention.rs"]
mod attention;
#[path = "booking/calendars.rs"]
mod calendars;
#[path = "booking/claims.rs"]
mod claims;
#[path = "booking/expiry.rs"]
mod expiry;
#[path = "booking/fees.rs"]
mod fees;
#[path = "booking/free_slots.rs"]
mod free_slots;
#[path = "booking/history.rs"]
mod history;
#[path = "booking/holds.rs"]
mod holds;
#[path = "booking/lifecycle.rs"]
mod lifecycle;
#[path = "booking/lists.rs"]
mod lists;
#[path = "booking/mixture.rs"]
mod mixture;
#[path = "booking/pets.rs"]
mod pets;
#[path = "booking/privacy.rs"]
mod privacy;
#[path = "booking/races.rs"]
mod races;
#[path = "booking/read_models.rs"]
mod read_models;
#[path = "booking/rebuilding.rs"]
mod rebuilding;
#[path = "booking/rules.rs"]
mod rules;
#[path = "booking/snapshots.rs"]
mod snapshots;
#[path = "booking/vendor_away.rs"]
mod vendor_away;
