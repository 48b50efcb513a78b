//! The vendor service over a real nats-server and Postgres, asked as the edge and as another service ask it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail the test, as the tests themselves do"
)]

#[path = "service/world.rs"]
mod world;

#[path = "service/auth_stand_in.rs"]
mod auth_stand_in;
#[path = "service/business.rs"]
mod business;

#[path = "service/approval.rs"]
mod approval;
#[path = "service/availability.rs"]
mod availability;
#[path = "service/memberships.rs"]
mod memberships;
#[path = "service/orders.rs"]
mod orders;
#[path = "service/policy.rs"]
mod policy;
#[path = "service/privacy.rs"]
mod privacy;
#[path = "service/registration.rs"]
mod registration;
#[path = "service/repeats.rs"]
mod repeats;
#[path = "service/search.rs"]
mod search;
#[path = "service/snapshots.rs"]
mod snapshots;
#[path = "service/tenancy.rs"]
mod tenancy;
#[path = "service/versions.rs"]
mod versions;
#[path = "service/working.rs"]
mod working;
