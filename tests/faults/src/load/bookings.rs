//! One free time after another life: booked, sometimes confirmed, cancelled, booked again.

use super::client::{Answer, Ask, Client};
use super::people::Tokens;
use super::record::{Record, Written};
use super::scenery::Slot;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// A time that one writer at a time deals with.
#[derive(Debug)]
pub struct BookingLane {
    slot: Slot,
    customer: Customer,
    stands: Stands,
}

/// Who books, and for which pet.
#[derive(Debug, Clone)]
pub enum Customer {
    /// The cat's owner, for the cat with this id.
    CatOwner(String),
    /// The dog's owner, for the dog with this id.
    DogOwner(String),
    /// The cat's owner, for a pet that is described in place.
    Somebody,
}

#[derive(Debug, Clone, Copy)]
enum Stands {
    Free,
    Pending(Uuid),
    Confirmed(Uuid),
}

/// What chance has decided for a step.
#[derive(Debug, Clone, Copy)]
pub struct Draw {
    /// The idempotency key.
    pub key: Uuid,
    /// What is booked is confirmed before it is cancelled.
    pub confirms: bool,
    /// What was acknowledged is asked for a second time under the same key.
    pub repeats: bool,
}

impl BookingLane {
    /// A time that is free.
    pub fn new(slot: Slot, customer: Customer) -> BookingLane {
        BookingLane { slot, customer, stands: Stands::Free }
    }

    /// The next thing that happens to the time. False: nobody knows how it stands now, so that it is of no more use.
    pub async fn step(&mut self, client: &Client, record: &Record, tokens: &Tokens, draw: Draw) -> bool {
        match self.stands {
            Stands::Free => self.book(client, record, tokens, draw).await,
            Stands::Pending(id) if draw.confirms => self.confirm(id, client, record, tokens).await,
            Stands::Pending(id) | Stands::Confirmed(id) => self.cancel(id, client, record, tokens).await,
        }
    }

    async fn book(&mut self, client: &Client, record: &Record, tokens: &Tokens, draw: Draw) -> bool {
        let ask = Ask {
            method: Method::POST,
            path: "/bookings".to_owned(),
            token: Some(self.token(tokens)),
            key: Some(draw.key.to_string()),
            if_match: None,
            body: Some(self.wish()),
            repeatable: true,
        };
        match client.send(&ask).await {
            Answer::Acknowledged(booking) => {
                let Some(id) = id_of(&booking) else { return false };
                record.acknowledged(written("booking.created", id));
                self.stands = Stands::Pending(id);
                if draw.repeats {
                    self.book_again(id, client, record, &ask).await;
                }
                true
            }
            Answer::Refused(status, reason) => {
                if reason == "slot_taken" {
                    record.contradicted(format!("{} is taken, and whoever had it has cancelled", self.slot.starts_at));
                }
                record.count(&format!("booking refused: {status} {reason}"));
                true
            }
            Answer::Open => false,
        }
    }

    /// The same request under the same key has the same answer.
    async fn book_again(&self, id: Uuid, client: &Client, record: &Record, ask: &Ask) {
        record.count("asked twice");
        match client.send(ask).await {
            Answer::Acknowledged(booking) if id_of(&booking) == Some(id) => {}
            Answer::Open => {}
            other => record.contradicted(format!("booking {id} was answered, and then, under its key, {other:?}")),
        }
    }

    async fn confirm(&mut self, id: Uuid, client: &Client, record: &Record, tokens: &Tokens) -> bool {
        let path = format!("/bookings/{id}/confirm");
        match client.send(&act(Method::POST, path, &tokens.clinic_owner)).await {
            Answer::Acknowledged(_) => {
                record.acknowledged(written("booking.confirmed", id));
                self.stands = Stands::Confirmed(id);
                true
            }
            // One that was made while the vendor service was away is confirmed when it has been checked.
            Answer::Refused(status, reason) => {
                record.count(&format!("confirmation refused: {status} {reason}"));
                true
            }
            Answer::Open => false,
        }
    }

    async fn cancel(&mut self, id: Uuid, client: &Client, record: &Record, tokens: &Tokens) -> bool {
        let token = self.token(tokens);
        match client.send(&act(Method::DELETE, format!("/bookings/{id}"), &token)).await {
            Answer::Acknowledged(_) => {
                record.acknowledged(written("booking.cancelled", id));
                self.stands = Stands::Free;
                true
            }
            Answer::Refused(404, reason) => {
                record.contradicted(format!("booking {id} was acknowledged, and is not there: {reason}"));
                false
            }
            Answer::Refused(status, reason) => {
                record.count(&format!("cancellation refused: {status} {reason}"));
                false
            }
            Answer::Open => false,
        }
    }

    fn token(&self, tokens: &Tokens) -> String {
        match self.customer {
            Customer::DogOwner(_) => tokens.dog_owner.clone(),
            Customer::CatOwner(_) | Customer::Somebody => tokens.cat_owner.clone(),
        }
    }

    fn wish(&self) -> Value {
        let Slot { service_id, staff_id, starts_at } = &self.slot;
        let mut wish = json!({ "serviceId": service_id, "staffId": staff_id, "startsAt": starts_at });
        let (name, pet) = match &self.customer {
            Customer::CatOwner(pet) | Customer::DogOwner(pet) => ("petId", json!(pet)),
            Customer::Somebody => ("pet", json!({ "name": "Oyen", "species": "cat" })),
        };
        if let Some(fields) = wish.as_object_mut() {
            fields.insert(name.to_owned(), pet);
        }
        wish
    }
}

/// Confirming and cancelling come to the same however often they are asked for, without a key.
fn act(method: Method, path: String, token: &str) -> Ask {
    Ask { method, path, token: Some(token.to_owned()), key: None, if_match: None, body: None, repeatable: true }
}

fn written(event_type: &'static str, id: Uuid) -> Written {
    Written { service: "booking", event_type, aggregate_id: id, version: None }
}

fn id_of(booking: &Value) -> Option<Uuid> {
    booking.pointer("/id")?.as_str()?.parse().ok()
}
