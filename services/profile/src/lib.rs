//! The profile service: people, their addresses and preferences, their pets and the pets' records; and the export and
//! erasure of a person's data.

mod access;
mod app;
mod convert;
mod domain;
mod entity;
mod handlers;
mod privacy;
mod read_models;
mod repo;
pub mod seed;

pub use app::{ProfileApp, ProfileConfig, app};

use handlers::{addresses, pets, preferences, profiles, records, shares, snapshots};
use platform::Service;
use store::EventLog as _;
use subjects::audit::FindAuditEntriesOfProfile;

/// A request's context in this service.
type Cx = platform::Cx<ProfileApp>;

/// What the service answers, consumes and does by itself.
pub fn service() -> Service<ProfileApp> {
    Service::new()
        .on(profiles::find_one)
        .on(profiles::update)
        .on(addresses::find_all)
        .on(addresses::find_one)
        .on(addresses::create)
        .on(addresses::update)
        .on(addresses::remove)
        .on(pets::find_all)
        .on(pets::find_one)
        .on(pets::create)
        .on(pets::update)
        .on(pets::remove)
        .on(records::find_all)
        .on(records::create)
        .on(shares::find_all)
        .on(shares::create)
        .on(shares::accept)
        .on(shares::revoke)
        .on(preferences::find_one)
        .on(preferences::update)
        .on(snapshots::pets)
        .on(privacy::export)
        .on(privacy::erase)
        .on(privacy::find_one)
        .on(privacy::read_export)
        .consume(store::work("user_registered", read_models::user_registered))
        .consume(store::work("membership_changed", read_models::membership_changed))
        .consume(store::work("membership_revoked", read_models::membership_revoked))
        .consume(store::work("booking_created", read_models::booking_created))
        .consume(store::work("booking_updated", read_models::booking_updated))
        .consume(store::work("booking_cancelled", read_models::booking_cancelled))
        .consume(store::work("booking_confirmed", read_models::booking_confirmed))
        .consume(store::work("booking_completed", read_models::booking_completed))
        .consume(store::work("booking_no_show", read_models::booking_no_show))
        .consume(store::work("booking_needs_attention", read_models::booking_needs_attention))
        .consume(store::work("role_updated", read_models::role_updated))
        .consume(store::work("role_removed", read_models::role_removed))
        .on(store::audit::entries::<ProfileApp, FindAuditEntriesOfProfile>)
        .event_log()
        .background("privacy", privacy::run)
}
