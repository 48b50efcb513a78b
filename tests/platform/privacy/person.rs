//! Somebody whose every word can be recognised.

use crate::world::World;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const PASSWORD: &str = testkit::personal::PASSWORD;

/// Somebody whose texts all begin with a word that nobody else uses.
pub struct Person {
    /// The word, in lower case.
    pub word: String,
    pub id: String,
    pub token: String,
    /// Digits of telephone number and microchip, as nobody else has.
    digits: String,
}

impl Person {
    pub async fn register(world: &World, word: &str) -> Person {
        let digits: String = word.bytes().map(|letter| char::from(b'0' + letter % 10)).take(9).collect();
        let email = format!("{word}@example.com");
        let body = json!({
            "email": email, "password": PASSWORD, "firstName": format!("{word}first"),
            "lastName": format!("{word}last"), "phoneNumber": format!("+62{digits}"),
        });
        let user = person_request(world, Method::POST, "/auth/register", None, None, &body, word).await;
        let login = json!({ "email": email, "password": PASSWORD, "device": format!("{word}device") });
        let tokens = world.expect(Method::POST, "/auth/login", None, Some(login), StatusCode::OK).await;
        Person {
            word: word.to_owned(),
            id: user["id"].as_str().unwrap().to_owned(),
            token: tokens["accessToken"].as_str().unwrap().to_owned(),
            digits,
        }
    }

    /// What nobody else's data has in it, in lower case.
    pub fn words(&self) -> Vec<String> {
        vec![self.word.clone(), self.digits.clone()]
    }

    /// The texts that were accepted.
    pub fn words_that_are_kept(&self) -> Vec<String> {
        let endings = [
            "@example.com",
            "first",
            "last",
            "device",
            "display",
            "bio",
            "label",
            "recipient",
            "street",
            "village",
            "directions",
            "pet",
            "breed",
            "petnotes",
            "vaccine",
            "record",
            "visitpet",
            "visitbreed",
            "visitnotes",
            "visitreason",
            "staff",
            "title",
        ];
        let mut words: Vec<String> = endings.map(|ending| format!("{}{ending}", self.word)).into();
        words.extend([format!("+62{}", self.digits), format!("+63{}", self.digits), self.microchip()]);
        words
    }

    fn microchip(&self) -> String {
        format!("{}900001", self.digits)
    }

    async fn send(&self, world: &World, method: Method, path: &str, version: Option<i64>, body: Value) -> Value {
        person_request(world, method, path, Some(&self.token), version, &body, &self.word).await
    }

    /// Does all that one can do here, and writes wherever one can.
    pub async fn live(&self, world: &World) {
        let word = &self.word;
        let profile = json!({ "displayName": format!("{word}display"), "bio": format!("{word}bio") });
        let current = world.expect(Method::GET, "/profiles/me", Some(&self.token), None, StatusCode::OK).await;
        self.send(world, Method::PATCH, "/profiles/me", current["version"].as_i64(), profile).await;
        let preferences = world.expect(Method::GET, "/preferences", Some(&self.token), None, StatusCode::OK).await;
        self.send(world, Method::PATCH, "/preferences", preferences["version"].as_i64(), json!({ "language": "en" }))
            .await;
        let address = json!({
            "label": format!("{word}label"), "recipient": format!("{word}recipient"),
            "phone": format!("+63{}", self.digits), "notes": format!("{word}directions"),
            "address": {
                "street": format!("{word}street"), "village": format!("{word}village"), "district": "Menteng",
                "city": "Jakarta", "province": "DKI Jakarta", "postalCode": "10310", "country": "ID",
            },
        });
        self.send(world, Method::POST, "/addresses", None, address).await;
        let pet = json!({
            "name": format!("{word}pet"), "species": "cat", "breed": format!("{word}breed"),
            "microchip": self.microchip(), "notes": format!("{word}petnotes"),
        });
        let pet = self.send(world, Method::POST, "/pets", None, pet).await;
        let records = format!("/pets/{}/records", pet["id"].as_str().unwrap());
        let vaccination = json!({ "vaccine": format!("{word}vaccine"), "givenOn": "2024-05-01" });
        self.send(world, Method::POST, &records, None, json!({ "vaccination": vaccination })).await;
        self.send(world, Method::POST, &records, None, json!({ "note": format!("{word}record") })).await;
        self.visit(world).await;
        self.work(world).await;
    }

    /// Three visits with everything written that can be: one is called off, one is to come, one time is held.
    async fn visit(&self, world: &World) {
        let word = &self.word;
        // Far enough from each other that no two visits overlap.
        let slots: Vec<_> = world.free_slots(60).await.into_iter().step_by(20).collect();
        let details =
            json!({ "name": format!("{word}visitpet"), "species": "dog", "breed": format!("{word}visitbreed") });
        let mut made = Vec::new();
        for slot in &slots[..2] {
            let mut wish = slot.wish();
            wish["pet"] = details.clone();
            wish["notes"] = json!(format!("{word}visitnotes"));
            made.push(self.send(world, Method::POST, "/bookings", None, wish).await);
        }
        let path = |booking: &Value, end: &str| format!("/bookings/{}{end}", booking["id"].as_str().unwrap());
        let moved = json!({ "startsAt": made[1]["startsAt"], "notes": format!("{word}visitnotes, again") });
        self.send(world, Method::PUT, &path(&made[1], ""), Some(1), moved).await;
        let reason = format!("?reason={word}visitreason");
        self.send(world, Method::DELETE, &path(&made[0], &reason), None, Value::Null).await;
        let hold = json!({ "serviceId": slots[2].service, "startsAt": slots[2].starts_at });
        self.send(world, Method::POST, "/bookings/holds", None, hold).await;
        self.send(world, Method::POST, "/bookings/calendars", None, json!({})).await;
    }

    /// Works at a demo clinic, under their own name.
    async fn work(&self, world: &World) {
        let word = &self.word;
        let owner = world.sign_in("dewi@petpro.example").await;
        let theirs = world.expect(Method::GET, "/memberships", Some(&owner), None, StatusCode::OK).await;
        let vendor = theirs["items"][0]["vendorId"].as_str().unwrap();
        let members = format!("/vendors/{vendor}/members");
        let invitation = json!({ "userId": self.id, "role": "clinic_staff" });
        let invited = person_request(world, Method::POST, &members, Some(&owner), None, &invitation, "key").await;
        let accept = format!("{members}/{}/accept", invited["id"].as_str().unwrap());
        self.send(world, Method::POST, &accept, None, json!({})).await;
        let clinics = format!("/clinics?vendorId={vendor}");
        let clinics = world.expect(Method::GET, &clinics, Some(&owner), None, StatusCode::OK).await;
        let clinic = clinics["items"][0]["id"].as_str().unwrap();
        let staff = json!({
            "clinicId": clinic, "displayName": format!("{word}staff"), "title": format!("{word}title"),
            "serviceIds": [], "userId": self.id,
        });
        person_request(world, Method::POST, "/staff", Some(&owner), None, &staff, "key").await;
    }

    /// A pet of theirs becomes one of the other's household, who reads it under a key of their own.
    pub async fn share_a_pet_with(&self, world: &World, other: &Person) {
        let pets = world.expect(Method::GET, "/pets?own=true", Some(&self.token), None, StatusCode::OK).await;
        let pet = pets["items"][0]["id"].as_str().unwrap();
        let share =
            self.send(world, Method::POST, &format!("/pets/{pet}/shares"), None, json!({ "role": "carer" })).await;
        other.send(world, Method::POST, "/pets/shares/accept", None, json!({ "code": share["code"] })).await;
        let record = json!({ "note": "seen by the household" });
        other.send(world, Method::POST, &format!("/pets/{pet}/records"), None, record).await;
    }

    /// Asks for what is refused, with personal data wherever some fits.
    pub async fn ask_for_nonsense(&self, world: &World) {
        let (word, token) = (&self.word, Some(self.token.as_str()));
        let nonsense = [
            (
                Method::POST,
                "/auth/register".to_owned(),
                json!({ "email": format!("{word}nonsense"), "password": word }),
            ),
            (
                Method::POST,
                "/auth/register".to_owned(),
                json!({ "email": format!("{word}@example.com"), "password": PASSWORD, "firstName": word }),
            ),
            (
                Method::POST,
                "/auth/login".to_owned(),
                json!({ "email": format!("{word}@example.com"), "password": word }),
            ),
            (Method::POST, "/bookings".to_owned(), json!({ "notes": [word], format!("{word}field"): self.digits })),
            (Method::POST, "/pets".to_owned(), json!({ "name": format!("{word}\u{7}"), "species": word })),
            (
                Method::POST,
                "/pets".to_owned(),
                json!({ "name": format!("{word}twin"), "species": "cat", "microchip": self.microchip() }),
            ),
            (Method::POST, "/addresses".to_owned(), json!({ "phone": format!("+{}", self.digits), "label": word })),
            (Method::GET, format!("/bookings/{word}"), Value::Null),
            (Method::GET, format!("/pets?cursor={word}"), Value::Null),
        ];
        for (method, path, body) in nonsense {
            let body = (!body.is_null()).then_some(body);
            let (status, answer) = world.ask(method.clone(), &path, token, body).await;
            assert!((400..500).contains(&status), "{method} {path}: {status} {answer}");
        }
        for search in
            [format!("/clinics?text={word}"), format!("/products?text={word}"), format!("/services?text={word}")]
        {
            world.expect(Method::GET, &search, token, None, StatusCode::OK).await;
        }
    }

    /// All that they see of their own.
    pub async fn life(&self, world: &World) -> Vec<Value> {
        let own_pets = "/pets?own=true";
        let mut seen = Vec::new();
        let paths = [
            "/auth/me",
            "/profiles/me",
            "/preferences",
            "/addresses",
            own_pets,
            "/bookings",
            "/bookings/calendars",
            "/memberships",
        ];
        for path in paths {
            seen.push(world.expect(Method::GET, path, Some(&self.token), None, StatusCode::OK).await);
        }
        let pets = world.expect(Method::GET, own_pets, Some(&self.token), None, StatusCode::OK).await;
        for pet in pets["items"].as_array().unwrap() {
            let records = format!("/pets/{}/records", pet["id"].as_str().unwrap());
            let records = world.expect(Method::GET, &records, Some(&self.token), None, StatusCode::OK).await;
            // Who wrote an entry may be erased; what it says stays.
            let said = records["items"].as_array().unwrap().iter().map(|record| json!([record["id"], record["note"]]));
            seen.push(said.collect());
        }
        seen.iter_mut().for_each(forget_what_counts_others);
        seen
    }
}

/// The version of a pet counts with whom it is shared.
fn forget_what_counts_others(seen: &mut Value) {
    for item in seen.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
        if item.get("ownerId").is_some()
            && let Some(pet) = item.as_object_mut()
        {
            pet.retain(|field, _| ["id", "name", "breed", "microchip", "notes"].contains(&field.as_str()));
        }
    }
}

/// A request under an idempotency key with the person's word in it; it must succeed.
async fn person_request(
    world: &World,
    method: Method,
    path: &str,
    token: Option<&str>,
    version: Option<i64>,
    body: &Value,
    word: &str,
) -> Value {
    let key = format!("{word}key-{}", uuid::Uuid::now_v7());
    let mut request = world.http.request(method.clone(), world.url(path)).header("Idempotency-Key", key);
    if !body.is_null() {
        request = request.json(body);
    }
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(version) = version {
        request = request.header("If-Match", format!("\"{version}\""));
    }
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{method} {path}: {status} {text}\n{}", world.log());
    serde_json::from_str(&text).unwrap_or(Value::Null)
}
