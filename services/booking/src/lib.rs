//! The booking service: claims time for visits, keeps bookings and their history, and tells which slots are free.
//!
//! Vendors, clinics, services, staff and hours belong to the vendor service; booking asks it, and keeps read models
//! of them from its events for when it does not answer.

mod access;
mod app;
mod attention;
mod convert;
mod domain;
mod entity;
mod expiry;
mod handlers;
mod pets;
mod read_models;
mod recheck;
mod repo;
mod texts;
mod vendor_calls;

pub use app::{BookingApp, BookingConfig, app};
pub use domain::history;

use handlers::{availability, calendars, create, holds, privacy, queries, snapshots, transitions, update, watch};
use platform::Service;
use store::EventLog as _;
use subjects::audit::FindAuditEntriesOfBooking;

/// A request's context in this service.
type Cx = platform::Cx<BookingApp>;

/// What the service answers, consumes and does by itself.
pub fn service() -> Service<BookingApp> {
    Service::new()
        .on(queries::find_all)
        .on(queries::find_one)
        .on(queries::history)
        .on(create::create)
        .on(update::update)
        .on(transitions::cancel)
        .on(transitions::confirm)
        .on(transitions::complete)
        .on(transitions::no_show)
        .on(availability::find_all)
        .on(holds::create)
        .on(holds::find_one)
        .on(holds::release)
        .on(calendars::create)
        .on(calendars::find_all)
        .on(calendars::remove)
        .on(calendars::feed)
        .stream(watch::watch)
        .on(snapshots::bookings)
        .on(privacy::export)
        .on(privacy::erase)
        .consume(store::work("vendor_registered", read_models::vendor_registered).one_by_one())
        .consume(store::work("vendor_updated", read_models::vendor_updated).one_by_one())
        .consume(store::work("vendor_approved", read_models::vendor_approved).one_by_one())
        .consume(store::work("vendor_rejected", read_models::vendor_rejected).one_by_one())
        .consume(store::work("vendor_suspended", read_models::vendor_suspended).one_by_one())
        .consume(store::work("clinic_updated", read_models::clinic_updated).one_by_one())
        .consume(store::work("service_updated", read_models::service_updated).one_by_one())
        .consume(store::work("service_removed", read_models::service_removed).one_by_one())
        .consume(store::work("staff_added", read_models::staff_added).one_by_one())
        .consume(store::work("staff_updated", read_models::staff_updated).one_by_one())
        .consume(store::work("staff_removed", read_models::staff_removed).one_by_one())
        .consume(store::work("hours_updated", read_models::hours_updated).one_by_one())
        .consume(store::work("membership_changed", read_models::membership_changed))
        .consume(store::work("membership_revoked", read_models::membership_revoked))
        .consume(store::work("pet_created", read_models::pet_created))
        .consume(store::work("pet_updated", read_models::pet_updated))
        .consume(store::work("pet_removed", read_models::pet_removed))
        .consume(store::work("role_updated", read_models::role_updated))
        .consume(store::work("role_removed", read_models::role_removed))
        .on(store::audit::entries::<BookingApp, FindAuditEntriesOfBooking>)
        .event_log()
        .background("recheck", recheck::run)
        .background("attention", attention::run)
        .background("expiry", expiry::run)
}
