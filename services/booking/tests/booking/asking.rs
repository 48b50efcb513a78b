//! Asking as the edge asks, for a user.

use crate::world::World;
use bytes::Bytes;
use identity::keys::Purpose;
use identity::{User, UserTokens};
use platform::Meta;
use platform::client::{RawCall, RawReply};
use platform::codec::ContentType;
use platform::setup::Setup;
use std::sync::Arc;
use std::time::Duration;
use subjects::booking::{Booking, BookingError, CreateBooking, CreateHold, Hold, PetDetails, Species};
use subjects::ids::{ServiceId, SessionId, StaffId, UserId};
use subjects::time::Instant;
use subjects::{ErrorCode, Fault, Request, Role, ServiceError};

/// How long an answer may take where many ask at once on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Someone who asks.
#[derive(Clone)]
pub struct Person {
    pub id: UserId,
    edge: Arc<Setup>,
    token: Arc<str>,
}

/// What an answer looked like beside its body.
pub struct Answer<T> {
    pub body: T,
    pub replayed: bool,
}

impl Person {
    pub fn new(world: &World, roles: &[Role]) -> Person {
        let id = UserId::new();
        let key = world.edge.keys.signing_key("edge", Purpose::User).unwrap();
        let user = User { id, session: SessionId::new(), roles: roles.to_vec() };
        let token = UserTokens::new(key).issue(&user, chrono::Utc::now());
        Person { id, edge: world.edge.clone(), token: token.into() }
    }

    pub fn customer(world: &World) -> Person {
        Person::new(world, &[Role::Customer])
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
        let idempotency_key = idempotency_key.map(str::to_owned);
        let meta = Meta { if_match, idempotency_key, ..Meta::background("test") };
        let call = RawCall {
            content_type: ContentType::Json,
            body: Bytes::from(serde_json::to_vec(request).unwrap()),
            user_token: Some(self.token.clone()),
            deadline: tokio::time::Instant::now() + PATIENCE,
            meta: &meta,
        };
        let RawReply { content_type, body, replayed } =
            self.edge.client.request_raw(R::SUBJECT, call).await.map_err(R::Error::from_fault)?;
        Ok(Answer { body: content_type.decode(&body).unwrap(), replayed })
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
        pet: Some(PetDetails { name: "Milo".into(), species: Species::Cat, breed: None }),
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
