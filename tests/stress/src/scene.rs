//! What requests are about: bookings to be read, stock to be moved, a reservation, free times. No two requests that are under
//! way at the same time change the same.

use crate::shot::{Kind, Outcome, Shot};
use anyhow::{Context as _, ensure};
use faults::load::{People, Scenery, Slot, Stock};
use faults::world::World;
use reqwest::{Method, RequestBuilder, StatusCode, header};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The edge answers within five seconds; what takes so much longer hangs.
const HANGS_AFTER: Duration = Duration::from_secs(12);
/// An idle connection is kept for less than the last call of an edge that leaves, so that none is closed under a request.
const IDLE: Duration = Duration::from_millis(500);
/// How many bookings there are to be read.
const BOOKINGS: usize = 20;
/// How many reservations there are to be given back: more than are asked for at the same time, or they would wait for each
/// other.
const RESERVATIONS: usize = 20;

/// What there is.
pub struct Scene {
    http: reqwest::Client,
    base: String,
    people: People,
    bookings: Vec<String>,
    reservations: Vec<String>,
    cat: String,
    slots: Mutex<VecDeque<Slot>>,
    stocks: Mutex<VecDeque<Stock>>,
}

impl Scene {
    /// Looks for so many stocks and so many free times to be booked, and books what is to be read. Requests go to `base`,
    /// the address of an edge or of what stands before edges.
    ///
    /// # Errors
    /// There is too little of something.
    pub async fn set(world: &World, base: String, stocks: usize, slots: usize) -> anyhow::Result<Scene> {
        let people = People::new(&world.stack.keys)?;
        let found = Scenery::find(world, &people.tokens(), slots + BOOKINGS, stocks).await?;
        let http = reqwest::Client::builder().timeout(HANGS_AFTER).pool_idle_timeout(IDLE).build()?;
        let mut scene = Scene {
            http,
            base,
            people,
            bookings: Vec::new(),
            reservations: Vec::new(),
            cat: found.cat,
            slots: Mutex::new(found.slots.into()),
            stocks: Mutex::new(found.stocks.into()),
        };
        for _ in 0..BOOKINGS {
            let slot = scene.slots().pop_front().context("no free time")?;
            scene.bookings.push(made(scene.book(&slot)).await?);
        }
        for _ in 0..RESERVATIONS {
            scene.reservations.push(made(scene.reserve().await?).await?);
        }
        Ok(scene)
    }

    /// Sends one, and waits for its answer.
    pub async fn shoot(&self, kind: Kind, due: Instant) -> Shot {
        let outcome = match kind {
            Kind::Read => self.read().await,
            Kind::Change => self.change().await,
            Kind::Critical => self.release().await,
            Kind::Book => {
                let slot = self.slots().pop_front();
                match slot {
                    Some(slot) => judge(self.book(&slot)).await.0,
                    None => Outcome::Failed("no free time is left".to_owned()),
                }
            }
            Kind::Login => self.login().await,
        };
        Shot { kind, took: due.elapsed(), outcome }
    }

    async fn read(&self) -> Outcome {
        let Some(id) = any(&self.bookings) else { return Outcome::Failed("there is no booking".to_owned()) };
        let token = self.people.tokens().cat_owner;
        judge(self.request(Method::GET, &format!("/bookings/{id}")).bearer_auth(token)).await.0
    }

    async fn release(&self) -> Outcome {
        let Some(id) = any(&self.reservations) else { return Outcome::Failed("there is no reservation".to_owned()) };
        let token = self.people.tokens().clinic_owner;
        let path = format!("/inventory/reservations/{id}/release");
        judge(self.request(Method::POST, &path).bearer_auth(token)).await.0
    }

    async fn change(&self) -> Outcome {
        let Some(mut stock) = self.stocks().pop_front() else {
            return Outcome::Unsent;
        };
        let (outcome, answer) = judge(self.receive_one(&stock)).await;
        let version = answer.pointer("/version").and_then(Value::as_i64);
        match (&outcome, version) {
            (Outcome::Good, Some(version)) => {
                stock.version = version;
                self.stocks().push_back(stock);
            }
            // Nothing of it was begun.
            (Outcome::Refused(_), _) => self.stocks().push_back(stock),
            // Nobody knows its version any more.
            _ => {}
        }
        outcome
    }

    async fn login(&self) -> Outcome {
        let body = json!({ "email": format!("{}@example.com", Uuid::now_v7()), "password": "not the right one" });
        let (outcome, _) = judge(self.request(Method::POST, "/auth/login").json(&body)).await;
        match outcome {
            // Refused for the password, after it was looked at.
            Outcome::Failed(how) if how.starts_with("401 ") => Outcome::Good,
            outcome => outcome,
        }
    }

    fn receive_one(&self, stock: &Stock) -> RequestBuilder {
        self.request(Method::PUT, &format!("/inventory/{}", stock.id))
            .bearer_auth(self.people.tokens().clinic_owner)
            .header("Idempotency-Key", Uuid::now_v7().to_string())
            .header(header::IF_MATCH, format!("\"{}\"", stock.version))
            .json(&json!({ "change": 1, "reason": "received" }))
    }

    fn book(&self, slot: &Slot) -> RequestBuilder {
        let Slot { service_id, staff_id, starts_at } = slot;
        self.request(Method::POST, "/bookings")
            .bearer_auth(self.people.tokens().cat_owner)
            .header("Idempotency-Key", Uuid::now_v7().to_string())
            .json(&json!({ "serviceId": service_id, "staffId": staff_id, "startsAt": starts_at, "petId": self.cat }))
    }

    async fn reserve(&self) -> anyhow::Result<RequestBuilder> {
        let token = self.people.tokens().clinic_owner;
        let stock = self.stocks().pop_back().context("no stock")?;
        // There may be nothing of it left.
        let (outcome, answer) = judge(self.receive_one(&stock)).await;
        ensure!(outcome == Outcome::Good, "{outcome:?}: {answer}");
        let line = json!({
            "variantId": answer.pointer("/variantId"), "clinicId": answer.pointer("/clinicId"), "quantity": 1,
        });
        let asked = self.request(Method::POST, "/inventory/reservations").bearer_auth(token);
        Ok(asked.header("Idempotency-Key", Uuid::now_v7().to_string()).json(&json!({ "lines": [line] })))
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/v1{path}", self.base))
    }

    fn slots(&self) -> MutexGuard<'_, VecDeque<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stocks(&self) -> MutexGuard<'_, VecDeque<Stock>> {
        self.stocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The id of what is made by a request.
async fn made(asked: RequestBuilder) -> anyhow::Result<String> {
    let (outcome, answer) = judge(asked).await;
    ensure!(outcome == Outcome::Good, "{outcome:?}: {answer}");
    Ok(answer.pointer("/id").and_then(Value::as_str).context("what was made has no id")?.to_owned())
}

async fn judge(asked: RequestBuilder) -> (Outcome, Value) {
    let answer = match asked.send().await {
        Ok(answer) => answer,
        Err(error) => return (Outcome::Failed(format!("no answer: {:?}", chain(&error))), Value::Null),
    };
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = match answer.bytes().await {
        Ok(body) => serde_json::from_slice(&body).unwrap_or(Value::Null),
        Err(error) => return (Outcome::Failed(format!("half an answer: {:?}", chain(&error))), Value::Null),
    };
    let reason = body.pointer("/reason").or_else(|| body.pointer("/code")).and_then(Value::as_str).unwrap_or("-");
    let comes_again = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
    let is_refusal = matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS);
    let outcome = match comes_again {
        _ if status.is_success() => Outcome::Good,
        Some(_) if is_refusal => Outcome::Refused(reason.to_owned()),
        _ => Outcome::Failed(format!("{} {reason}", status.as_u16())),
    };
    (outcome, body)
}

fn chain(error: &dyn std::error::Error) -> Vec<String> {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect()
}

/// One of them, by the random part of an id.
fn any(ids: &[String]) -> Option<&String> {
    let lot = Uuid::new_v4().as_bytes().first().copied().unwrap_or_default();
    ids.get(usize::from(lot) % ids.len().max(1))
}
