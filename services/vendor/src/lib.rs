//! The vendor service: vendors and their approval, memberships, clinics, services, staff and opening hours.

pub mod authority;
pub mod domain;
pub mod entity;
pub mod handlers;
mod read_models;
mod replies;
pub mod repo;
pub mod request_key;
pub mod seed;
pub mod sweep;

use handlers::{
    approval, availability, clinics, hours, memberships, privacy, registration, services, snapshots, staff, vendors,
};
use platform::{App, Service, Setup};
use store::{EventLog as _, HasStore, ReadModels, Store};
use subjects::audit::FindAuditEntriesOfVendor;
use subjects::auth::RoleSnapshot;
use subjects::auth::{ActivateUser, CreateUser};
use subjects::{Fault, RoleName};

/// What the handlers share.
pub struct VendorApp {
    /// The service's rows.
    pub store: Store,
}

impl App for VendorApp {
    const NAME: &'static str = "vendor";

    async fn allows(&self, roles: &[RoleName], permission: &'static str) -> Result<bool, Fault> {
        store::roles::allow(self.store.read(), roles, permission).await
    }
}

impl HasStore for VendorApp {
    fn store(&self) -> &Store {
        &self.store
    }

    fn read_models() -> ReadModels<VendorApp> {
        read_models::all()
    }
}

platform::calls!(VendorApp => [RoleSnapshot, CreateUser, ActivateUser]);

/// The context of a request to this service.
pub type Cx = platform::Cx<VendorApp>;

/// What the service answers and does.
pub fn service() -> Service<VendorApp> {
    Service::new()
        .on(vendors::find_all)
        .on(vendors::find_one)
        .on(registration::register)
        .on(vendors::create)
        .on(vendors::update)
        .on(vendors::remove)
        .on(approval::submit)
        .on(approval::approve)
        .on(approval::reject)
        .on(approval::suspend)
        .on(availability::find)
        .on(memberships::find_all)
        .on(memberships::invite)
        .on(memberships::accept)
        .on(memberships::update)
        .on(memberships::revoke)
        .on(clinics::find_all)
        .on(clinics::find_one)
        .on(clinics::create)
        .on(clinics::update)
        .on(clinics::remove)
        .on(services::find_all)
        .on(services::find_one)
        .on(services::create)
        .on(services::update)
        .on(services::remove)
        .on(staff::find_all)
        .on(staff::find_one)
        .on(staff::create)
        .on(staff::update)
        .on(staff::remove)
        .on(hours::find_one)
        .on(hours::update)
        .on(snapshots::vendors)
        .on(snapshots::clinics)
        .on(snapshots::services)
        .on(snapshots::staff)
        .on(snapshots::hours)
        .on(snapshots::memberships)
        .on(privacy::export)
        .on(privacy::erase)
        .consume(store::work("role_updated", read_models::role_updated))
        .consume(store::work("role_removed", read_models::role_removed))
        .on(store::audit::entries::<VendorApp, FindAuditEntriesOfVendor>)
        .event_log()
        .background("registrations", sweep::registrations)
}

/// Connects what the service needs.
///
/// # Errors
/// A bad setting, or no database.
pub async fn app(setup: &Setup) -> anyhow::Result<VendorApp> {
    Ok(VendorApp { store: Store::open(setup).await? })
}
