//! A visit: a pet, a free time, a booking, and what the clinic then knows.

use super::story::{Story, list, text};
use crate::output::say;
use anyhow::{Context as _, bail};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A service and a time when it is free.
pub(super) struct Offer {
    service: Value,
    slot: Value,
}

/// The customer's cat.
pub(super) async fn new_pet(story: &Story, token: &str) -> anyhow::Result<Value> {
    let cat = json!({
        "name": "Oyen", "species": "cat", "breed": "domestic shorthair", "sex": "male", "birthDate": "2022-03-14", "weightGrams": 4300,
    });
    let pet = story.ask(Method::POST, "/pets", Some(token), Some(cat), StatusCode::CREATED).await?;
    let allergy = json!({ "allergy": { "substance": "ayam", "severity": "mild" } });
    let records = format!("/pets/{}/records", text(&pet, "/id")?);
    story.ask(Method::POST, &records, Some(token), Some(allergy), StatusCode::CREATED).await?;
    say!("   {} is a {} and does not bear chicken", text(&pet, "/name")?, text(&pet, "/species")?)?;
    Ok(pet)
}

/// A clinic that vaccinates cats, and when it is free.
pub(super) async fn find_offer(story: &Story) -> anyhow::Result<Offer> {
    let clinics = story.get("/clinics?text=jakarta&limit=5", None).await?;
    for clinic in list(&clinics, "/items") {
        let services = story.get(&format!("/clinics/{}/services", text(clinic, "/id")?), None).await?;
        let Some(service) = list(&services, "/items").first() else { continue };
        say!("   {} offers {}", text(clinic, "/name")?, text(service, "/name")?)?;
        let tomorrow = chrono::Utc::now().date_naive() + chrono::Days::new(1);
        let last = tomorrow + chrono::Days::new(13);
        let id = text(service, "/id")?;
        let path = format!("/bookings/availability?serviceId={id}&from={tomorrow}&to={last}&limit=50");
        let free = story.get(&path, None).await?;
        let slot = free.pointer("/items/0").cloned().context("no free slot within two weeks")?;
        say!("   first free: {}", text(&slot, "/localStartsAt")?)?;
        return Ok(Offer { service: service.clone(), slot });
    }
    bail!("there is no demo clinic with a service: is this a stack of `./just up`?")
}

impl Offer {
    fn wish(&self) -> anyhow::Result<Value> {
        Ok(json!({
            "serviceId": text(&self.service, "/id")?,
            "staffId": text(&self.slot, "/staffIds/0")?,
            "startsAt": text(&self.slot, "/startsAt")?,
        }))
    }

    /// Books it with the customer's own pet.
    pub(super) async fn book(&self, story: &Story, token: &str, pet: &Value) -> anyhow::Result<Value> {
        let mut wish = self.wish()?;
        insert(&mut wish, "petId", json!(text(pet, "/id")?));
        let booking = story.ask(Method::POST, "/bookings", Some(token), Some(wish), StatusCode::CREATED).await?;
        say!("   {} is {}", text(&booking, "/reference")?, text(&booking, "/status")?)?;
        Ok(booking)
    }

    /// Somebody else cannot book it any more, and may not name a pet that is not theirs.
    pub(super) async fn book_in_vain(&self, story: &Story, token: &str, others_pet: &Value) -> anyhow::Result<()> {
        let mut taken = self.wish()?;
        insert(&mut taken, "pet", json!({ "name": "Bola", "species": "cat" }));
        let mut not_theirs = self.wish()?;
        insert(&mut not_theirs, "petId", json!(text(others_pet, "/id")?));
        for (wish, status) in [(taken, StatusCode::CONFLICT), (not_theirs, StatusCode::NOT_FOUND)] {
            let refused = story.ask(Method::POST, "/bookings", Some(token), Some(wish), status).await?;
            say!("   {}: {}", text(&refused, "/reason")?, text(&refused, "/detail")?)?;
        }
        Ok(())
    }
}

fn insert(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

/// The clinic's staff confirms.
pub(super) async fn confirm(story: &Story, staff: &str, booking: &Value) -> anyhow::Result<()> {
    let path = format!("/bookings/{}/confirm", text(booking, "/id")?);
    let confirmed = story.ask(Method::POST, &path, Some(staff), None, StatusCode::OK).await?;
    say!("   {} is {}", text(&confirmed, "/reference")?, text(&confirmed, "/status")?)?;
    Ok(())
}

/// The staff reads what is known of the pet and adds to it.
pub(super) async fn treat(story: &Story, staff: &str, pet: &Value) -> anyhow::Result<()> {
    let path = format!("/pets/{}/records", text(pet, "/id")?);
    let records = story.get_once_heard(&path, staff).await?;
    for record in list(&records, "/items") {
        say!("   {}: {}", text(record, "/kind")?, record.pointer("/allergy").unwrap_or(&Value::Null))?;
    }
    let today = chrono::Utc::now().date_naive();
    let next = today + chrono::Months::new(12);
    let given = json!({ "vaccination": { "vaccine": "tricat", "givenOn": today, "dueOn": next } });
    let record = story.ask(Method::POST, &path, Some(staff), Some(given), StatusCode::CREATED).await?;
    say!(
        "   vaccinated against {}, next time {}",
        text(&record, "/vaccination/vaccine")?,
        text(&record, "/vaccination/dueOn")?
    )?;
    Ok(())
}
