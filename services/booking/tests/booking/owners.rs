//! Sits where the vendor and the profile service sit, with all that booking keeps read models of: what these answer when
//! they are asked for a snapshot. What the real ones answer is seen in their own tests.

use crate::clinic::{Clinic, approved};
use crate::vendor_seat::available_at;
use crate::world::World;
use platform::{App, Cx, Service};
use std::sync::Arc;
use std::time::Duration;
use subjects::ids::{MembershipId, PetId, UserId};
use subjects::profile::{PetSnapshot, PetState, Species};
use subjects::vendor::{
    ClinicAvailability, ClinicSnapshot, HoursSnapshot, HoursState, MembershipSnapshot, MembershipState,
    ServiceSnapshot, StaffSnapshot, VendorAvailability, VendorError, VendorSnapshot,
};
use subjects::{MembershipRole, NoError};
use testmesh::{Mesh, Owned};

/// The models of the booking service.
pub const MODELS: [&str; 7] =
    ["vendors", "clinics", "services", "staff", "service_availability", "memberships", "pets"];

#[derive(Clone)]
pub struct Owners {
    pub vendors: Owned<VendorSnapshot>,
    pub clinics: Owned<ClinicSnapshot>,
    pub services: Owned<ServiceSnapshot>,
    pub staff: Owned<StaffSnapshot>,
    pub hours: Owned<HoursSnapshot>,
    pub memberships: Owned<MembershipSnapshot>,
    pub pets: Owned<PetSnapshot>,
}

impl Owners {
    /// They tell pages of so many, each of which is on its way for a time.
    pub fn telling(page_size: u16, pause: Duration) -> Owners {
        Owners {
            vendors: Owned::in_pages(page_size, pause),
            clinics: Owned::in_pages(page_size, pause),
            services: Owned::in_pages(page_size, pause),
            staff: Owned::in_pages(page_size, pause),
            hours: Owned::in_pages(page_size, pause),
            memberships: Owned::in_pages(page_size, pause),
            pets: Owned::in_pages(page_size, pause),
        }
    }

    /// A clinic with one of everything and a pet that is booked for there, so many times.
    pub fn fill(&self, count: usize) {
        for _ in 0..count {
            let clinic = Clinic::new(&[30], 1);
            self.own(&clinic);
            let user_id = UserId::new();
            self.memberships.put(MembershipState {
                membership_id: MembershipId::new(),
                user_id,
                vendor_id: clinic.vendor_id,
                clinic_id: None,
                role: MembershipRole::ClinicStaff,
                active: true,
                version: 1,
            });
            self.pets.put(pet_of(user_id));
        }
    }

    /// All of a clinic, as its first events tell it.
    pub fn own(&self, clinic: &Clinic) {
        let Clinic { vendor_id, clinic_id, hours, policy: _, services, staff } = clinic.clone();
        self.vendors.put(approved(vendor_id, 1));
        self.clinics.put(clinic.state(1).0);
        self.hours.put(HoursState { clinic_id, vendor_id, hours, removed: false, version: 1 });
        services.into_iter().for_each(|service| self.services.put(service));
        staff.into_iter().for_each(|member| self.staff.put(member));
    }
}

pub fn pet_of(owner_id: UserId) -> PetState {
    let (pet_id, species) = (PetId::new(), Species::Cat);
    PetState { pet_id, owner_id, species, shared_with: vec![UserId::new()], removed: false, version: 1 }
}

pub struct VendorOwner {
    owners: Owners,
    clinic: Clinic,
}

impl App for VendorOwner {
    const NAME: &'static str = "vendor";
}
platform::calls!(VendorOwner => []);

pub struct ProfileOwner(Owners);

impl App for ProfileOwner {
    const NAME: &'static str = "profile";
}
platform::calls!(ProfileOwner => []);

pub fn vendor_service() -> Service<VendorOwner> {
    type Context = Cx<VendorOwner>;
    Service::new()
        .on(availability)
        .on(|cx: Context, q: VendorSnapshot| async move { told(cx.app.owners.vendors.page(q.after, q.limit).await) })
        .on(|cx: Context, q: ClinicSnapshot| async move { told(cx.app.owners.clinics.page(q.after, q.limit).await) })
        .on(|cx: Context, q: ServiceSnapshot| async move { told(cx.app.owners.services.page(q.after, q.limit).await) })
        .on(|cx: Context, q: StaffSnapshot| async move { told(cx.app.owners.staff.page(q.after, q.limit).await) })
        .on(|cx: Context, q: HoursSnapshot| async move { told(cx.app.owners.hours.page(q.after, q.limit).await) })
        .on(|cx: Context, q: MembershipSnapshot| async move { told(cx.app.owners.memberships.page(q.after, q.limit).await) })
        .publishes_events()
}

pub fn profile_service() -> Service<ProfileOwner> {
    Service::new()
        .on(|cx: Cx<ProfileOwner>, q: PetSnapshot| async move { told(cx.app.0.pets.page(q.after, q.limit).await) })
        .publishes_events()
}

fn told<Page>(page: Page) -> Result<Page, NoError> {
    Ok(page)
}

async fn availability(cx: Cx<VendorOwner>, question: VendorAvailability) -> Result<ClinicAvailability, VendorError> {
    available_at(&cx.app.clinic, &question)
}

/// A mesh with both, in which the booking service may join. Of one clinic it is told when it can be booked.
pub async fn with_owners(owners: &Owners, clinic: &Clinic) -> World {
    let (at_vendor, at_profile) = (owners.clone(), owners.clone());
    let clinic = clinic.clone();
    let mesh = Mesh::of("booking")
        .knowing(&booking::service())
        .with(vendor_service(), async |_| Ok(VendorOwner { owners: at_vendor, clinic }))
        .with(profile_service(), async |_| Ok(ProfileOwner(at_profile)))
        .settings("[booking]\nrecheck_interval_ms = 50\nexpiry_interval_ms = 3600000\n")
        .start()
        .await;
    World(Arc::new(mesh))
}

/// A mesh in which neither is there yet.
pub async fn without_owners() -> World {
    let mesh = Mesh::of("booking").knowing(&booking::service());
    let mesh = mesh.knowing(&vendor_service()).knowing(&profile_service());
    World(Arc::new(mesh.start().await))
}

/// Takes both seats.
pub async fn sit_down(world: &World, owners: &Owners) -> (platform::runtime::Running, platform::runtime::Running) {
    let (at_vendor, at_profile) = (owners.clone(), owners.clone());
    let clinic = Clinic::new(&[30], 1);
    let vendor = world.start_another(vendor_service(), async |_| Ok(VendorOwner { owners: at_vendor, clinic })).await;
    (vendor, world.start_another(profile_service(), async |_| Ok(ProfileOwner(at_profile))).await)
}
