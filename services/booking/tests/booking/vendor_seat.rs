//! Sits where the vendor service sits, since services may not depend on each other, in tests neither: it answers
//! `vendor.availability` of one clinic, with the contract's own arithmetic, from the same states that the events tell.
//! What the real vendor service answers is seen in the end-to-end tests.

use crate::clinic::Clinic;
use crate::world::World;
use platform::runtime::Running;
use platform::{App, Cx, Service};
use std::sync::{Arc, Mutex};
use subjects::vendor::{ClinicAvailability, OwnHours, StaffAvailability, VendorAvailability, VendorError};

pub struct VendorSeat {
    clinic: Arc<Mutex<Clinic>>,
}

impl App for VendorSeat {
    const NAME: &'static str = "vendor";
}
platform::calls!(VendorSeat => []);

pub fn service() -> Service<VendorSeat> {
    Service::new().on(availability).publishes_events()
}

async fn availability(cx: Cx<VendorSeat>, question: VendorAvailability) -> Result<ClinicAvailability, VendorError> {
    assert_eq!(cx.caller().service.as_deref(), Some("booking"));
    let clinic = cx.app.clinic.lock().unwrap().clone();
    available_at(&clinic, &question)
}

/// When a clinic and its staff can be booked.
pub fn available_at(clinic: &Clinic, question: &VendorAvailability) -> Result<ClinicAvailability, VendorError> {
    let service = clinic.services.iter().find(|service| Some(service.service_id) == question.service_id);
    let service = service.ok_or(VendorError::ServiceNotFound)?.clone();
    let staff = clinic
        .staff
        .iter()
        .filter(|member| member.active && member.service_ids.contains(&service.service_id))
        .filter(|member| question.staff_id.is_none_or(|wanted| wanted == member.staff_id))
        .map(|member| StaffAvailability {
            staff_id: member.staff_id,
            open: clinic.hours.worked_between(
                clinic.clinic_id,
                OwnHours { week: member.hours.as_deref(), exceptions: &member.exceptions },
                question.from,
                question.last_date(),
            ),
        })
        .collect();
    Ok(ClinicAvailability {
        clinic_id: clinic.clinic_id,
        vendor_id: clinic.vendor_id,
        time_zone: clinic.hours.time_zone,
        policy: clinic.policy,
        schedule_version: 1,
        bookable: service.active,
        service: Some(service),
        staff,
    })
}

/// Takes the seat; the clinic may change under it.
pub async fn sit_down(world: &World, clinic: Arc<Mutex<Clinic>>) -> Running {
    world.start_another(service(), async |_| Ok(VendorSeat { clinic })).await
}
