//! Asking as the edge asks, for a user.

use crate::world::World;
use platform::client::RawReply;
use std::sync::Arc;
use subjects::booking::{Booking, BookingError, CreateBooking, CreateHold, Hold, PetDetails, Species};
use subjects::ids::{ServiceId, StaffId, UserId};
use subjects::time::Instant;
use subjects::{ErrorCode, Fallback, Fault, Request, Role, ServiceError};
use testmesh::{Asker, Mesh, personal};

/// Someone who asks.
#[derive(Clone)]
pub struct Person {
    pub id: UserId,
    asker: Asker,
    mesh: Arc<Mesh>,
}

/// What an answer looked like beside its body.
pub struct Answer<T> {
    pub body: T,
    pub replayed: bool,
    pub fallback: Option<Fallback>,
}

impl Person {
    pub fn new(world: &World, roles: &[Role]) -> Person {
        let asker = testmesh::user(roles);
        Person { id: asker.id(), asker, mesh: world.0.clone() }
    }

    pub fn customer(world: &World) -> Person {
        Person::new(world, &[Role::Customer])
    }

    pub fn asker(&self) -> &Asker {
        &self.asker
    }

    pub async fn ask<R: Request>(&self, request: &R) -> Result<R::Reply, R::Error> {
        Ok(self.ask_with(request, None, None).await?.body)
    }

    /// Asks with `If-Match`.
    pub async fn ask_if<R: Request>(&self, request: &R, version: i64) -> Result<R::Reply, R::Error> {
        Ok(self.ask_with(request, Some(version), None).await?.body)
    }

    pub async fn ask_with<R: Request>(
        &self,
        request: &R,
        if_match: Option<i64>,
        idempotency_key: Option<&str>,
    ) -> Result<Answer<R::Reply>, R::Error> {
        let body = serde_json::to_value(request).unwrap();
        let mut asked = self.mesh.ask(R::SUBJECT, body).by(&self.asker).coming_again();
        if let Some(version) = if_match {
            asked = asked.based_on(version);
        }
        if let Some(key) = idempotency_key {
            asked = asked.under_key(key);
        }
        let RawReply { content_type, body, replayed, fallback } = asked.reply().await.map_err(R::Error::from_fault)?;
        Ok(Answer { body: content_type.decode(&body).unwrap(), replayed, fallback })
    }

    pub async fn book(
        &self,
        service_id: ServiceId,
        staff_id: Option<StaffId>,
        starts_at: Instant,
    ) -> Result<Booking, BookingError> {
        self.ask(&creating(service_id, staff_id, starts_at)).await
    }

    pub async fn hold(
        &self,
        service_id: ServiceId,
        staff_id: Option<StaffId>,
        starts_at: Instant,
    ) -> Result<Hold, BookingError> {
        self.ask(&CreateHold { service_id, staff_id, starts_at }).await
    }
}

/// Becomes a booking of the person who holds it.
pub fn creating_from(hold: &Hold) -> CreateBooking {
    CreateBooking { hold_id: Some(hold.id), ..creating(hold.service_id, None, hold.starts_at) }
}

pub fn creating(service_id: ServiceId, staff_id: Option<StaffId>, starts_at: Instant) -> CreateBooking {
    CreateBooking {
        service_id,
        clinic_id: None,
        vendor_id: None,
        staff_id,
        hold_id: None,
        starts_at,
        pet: Some(PetDetails { name: personal::text("Milo"), species: Species::Cat, breed: None }),
        pet_id: None,
        walk_in: None,
        notes: None,
    }
}

/// The code of a refusal that is not booking's own.
pub fn code(error: BookingError) -> ErrorCode {
    let fault: Fault = error.into_fault();
    fault.code
}
