//! People, pets, clinics: what the tests begin with.

use serde_json::{Value, json};
use subjects::booking::{BookingState, BookingStatus, BookingUpdated};
use subjects::ids::{BookingId, ClinicId, MembershipId, PetId, ServiceId, StaffId, UserId, VendorId};
use subjects::time::Instant;
use subjects::vendor::{MembershipChanged, MembershipState};
use subjects::{MembershipRole, Money};
use testmesh::{Asker, Mesh, personal};

/// The body of a request for an address.
pub fn address(label: &str) -> Value {
    json!({
        "label": label,
        "recipient": personal::text("Sulastri"),
        "phone": personal::PHONE,
        "address": {
            "street": personal::text("Jl. Cikini Raya No. 45"),
            "rt": "001",
            "rw": "002",
            "village": "Cikini",
            "district": "Menteng",
            "city": "Jakarta Pusat",
            "province": "DKI Jakarta",
            "postalCode": "10330",
            "country": "ID",
        },
    })
}

/// The same value with some of its fields others.
pub fn with(mut value: Value, fields: Value) -> Value {
    value.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    value
}

/// Adds a pet and answers it.
pub async fn pet_of(mesh: &Mesh, owner: &Asker) -> Value {
    mesh.ask("pet.create", json!({ "name": personal::text("Oyen"), "species": "cat" })).by(owner).ok().await
}

/// Shares a pet, and answers the share.
pub async fn share(mesh: &Mesh, owner: &Asker, pet: &Value, role: &str, with: &Asker) -> Value {
    let invited = mesh.ask("petShare.create", json!({ "petId": pet["id"], "role": role })).by(owner).ok().await;
    mesh.ask("petShare.accept", json!({ "code": invited["code"] })).by(with).ok().await
}

/// A clinic as other services' events tell it.
#[derive(Debug, Clone, Copy)]
pub struct Clinic {
    pub vendor_id: VendorId,
    pub clinic_id: ClinicId,
}

impl Clinic {
    pub fn new() -> Clinic {
        Clinic { vendor_id: VendorId::new(), clinic_id: ClinicId::new() }
    }

    /// Makes a user one of its staff, or of all of the vendor's clinics.
    pub async fn employ(&self, mesh: &Mesh, user_id: UserId, clinic_id: Option<ClinicId>) -> MembershipState {
        let state = MembershipState {
            membership_id: MembershipId::new(),
            user_id,
            vendor_id: self.vendor_id,
            clinic_id,
            role: MembershipRole::ClinicStaff,
            active: true,
            version: 1,
        };
        mesh.tell(&MembershipChanged(state.clone())).await;
        mesh.until_query(&format!("select count(*) from memberships where user_id = '{user_id}'"), 1).await;
        state
    }

    /// A booking of a pet here that ends so many days from now.
    pub fn booking(&self, pet: &Value, status: BookingStatus, days_from_now: i64) -> BookingState {
        let at: Instant = chrono::Utc::now() + chrono::TimeDelta::days(days_from_now);
        let pet_id: PetId = pet["id"].as_str().unwrap().parse().unwrap();
        BookingState {
            booking_id: BookingId::new(),
            version: 1,
            reference: "7Q4M2XKD".to_owned(),
            status,
            customer_id: None,
            vendor_id: self.vendor_id,
            clinic_id: self.clinic_id,
            service_id: ServiceId::new(),
            staff_id: StaffId::new(),
            pet_id: Some(pet_id),
            starts_at: at - chrono::TimeDelta::minutes(30),
            ends_at: at,
            price: Money::idr(125_000),
            fee: None,
            provisional: false,
            attention: None,
            created_at: at,
            updated_at: at,
        }
    }

    /// Tells a booking of a pet here, and waits until it is known.
    pub async fn book(&self, mesh: &Mesh, pet: &Value, status: BookingStatus, days_from_now: i64) -> BookingState {
        let state = self.booking(pet, status, days_from_now);
        tell_booking(mesh, &state).await;
        state
    }
}

/// Tells how a booking stands, and waits until that is known.
pub async fn tell_booking(mesh: &Mesh, state: &BookingState) {
    mesh.tell(&BookingUpdated(state.clone())).await;
    mesh.until_query(&format!("select version from bookings where id = '{}'", state.booking_id), state.version).await;
}
