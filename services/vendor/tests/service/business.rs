//! A vendor with one of everything.

use crate::world::{Asker, World, customer, platform_admin};
use serde_json::{Value, json};

pub struct Business {
    pub owner: Asker,
    pub vendor_id: Value,
    pub clinic_id: Value,
    pub service_id: Value,
    pub staff_id: Value,
    /// Of somebody who was invited as staff for all clinics and has not accepted yet.
    pub membership_id: Value,
    pub invited: Asker,
}

pub fn new_vendor(name: &str) -> Value {
    json!({ "name": name, "kind": "clinic", "description": "Vets" })
}

pub fn new_clinic(vendor_id: &Value, name: &str) -> Value {
    json!({
        "vendorId": vendor_id,
        "name": name,
        "address": { "street": "Jalan Teuku Umar 21", "city": "Jakarta", "country": "ID" },
        "coordinates": { "latitude": -6.195, "longitude": 106.832 },
        "timeZone": "Asia/Jakarta",
    })
}

pub fn new_service(clinic_id: &Value, name: &str) -> Value {
    let price = json!({ "amount": 150_000, "currency": "IDR" });
    json!({ "clinicId": clinic_id, "name": name, "durationMinutes": 30, "bufferAfterMinutes": 10, "price": price })
}

/// Every day from eight to four.
pub fn usual_week() -> Value {
    let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    days.map(|day| json!({ "day": day, "opens": "08:00", "closes": "16:00" })).into_iter().collect()
}

impl Business {
    /// A draft.
    pub async fn found(world: &World, name: &str) -> Business {
        let (owner, invited) = (customer(), customer());
        let ask = async |subject: &str, body: Value| world.ask(subject, body).by(&owner).ok().await;
        let vendor_id = ask("vendor.create", new_vendor(name)).await["id"].clone();
        let clinic_id = ask("clinic.create", new_clinic(&vendor_id, name)).await["id"].clone();
        let service_id = ask("service.create", new_service(&clinic_id, "Konsultasi")).await["id"].clone();
        let new_staff = json!({ "clinicId": clinic_id, "displayName": testmesh::personal::text("Anindya Putri"), "serviceIds": [service_id] });
        let staff_id = ask("staff.create", new_staff).await["id"].clone();
        let hours = json!({ "clinicId": clinic_id, "weekly": usual_week() });
        world.ask("hours.update", hours).by(&owner).based_on(1).ok().await;
        let invitation = json!({ "vendorId": vendor_id, "userId": invited.id(), "role": "clinic_staff" });
        let membership_id = ask("membership.invite", invitation).await["id"].clone();
        Business { owner, vendor_id, clinic_id, service_id, staff_id, membership_id, invited }
    }

    /// One that is open to the public.
    pub async fn open(world: &World, name: &str) -> Business {
        let business = Business::found(world, name).await;
        let id = json!({ "id": business.vendor_id });
        world.ask("vendor.submit", id.clone()).by(&business.owner).ok().await;
        world.ask("vendor.approve", id).by(&platform_admin()).ok().await;
        business
    }
}
