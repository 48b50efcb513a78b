//! Real rows of the demo data and who they belong to, so that a spoiled request fails for nothing but what is spoiled.

use crate::samples::Sample;
use crate::world::{Slot, World};
use chrono::Utc;
use futures::StreamExt as _;
use identity::keys::{AUTH, EDGE, Purpose};
use identity::{AccessTokens, User, UserTokens};
use petpro::demo_users::DemoUser;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use subjects::Role;
use subjects::ids::{SessionId, UserId};
use testkit::personal;

/// A password that nobody has and anybody may choose.
const GOOD_PASSWORD: &str = "kucing-abu-abu-9";
/// How many requests are under way at once.
const AT_ONCE: usize = 32;

/// The entities that belong to customers.
const CUSTOMERS: [&str; 13] = [
    "user",
    "auth",
    "booking",
    "hold",
    "calendar",
    "availability",
    "profile",
    "address",
    "preference",
    "pet",
    "petRecord",
    "petShare",
    "privacy",
];

/// Somebody who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person {
    /// Runs the platform.
    Admin,
    /// Runs the vendor that the rows belong to.
    Owner,
    /// Works there.
    Staff,
    /// Whose booking, hold, calendar and session it is.
    Customer,
    /// Runs another clinic of the vendor, once somebody has seen to it.
    Branch,
    /// Runs another vendor.
    Rival,
    /// A customer with nothing.
    Nobody,
    /// Has a role with every permission that there is.
    Clerk,
    /// Has a role without any.
    Idler,
}

pub struct Scene {
    pub edge: SocketAddr,
    pub http: reqwest::Client,
    tokens: AccessTokens,
    users: UserTokens,
    nobody: UserId,
    branch: UserId,
    clerk: UserId,
    idler: UserId,
    /// Ids by the entity's name.
    rows: BTreeMap<&'static str, String>,
    /// What the rival's rows are called: the vendor and its clinic.
    pub rivals: BTreeMap<&'static str, String>,
    pub slot: Slot,
    pub other_slot: Slot,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Scene {
    pub async fn of(world: &World) -> Scene {
        let url = reqwest::Url::parse(&world.url("/")).unwrap();
        let edge = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap()).parse().unwrap();
        // Far enough from each other that none takes another's time.
        let slots: Vec<Slot> = world.free_slots(60).await.into_iter().step_by(20).collect();
        let [slot, other_slot, held_slot] = slots.try_into().unwrap();
        let mut scene = Scene {
            edge,
            http: world.http.clone(),
            tokens: AccessTokens::new(world.stack.keys.signing_key(AUTH, Purpose::Access).unwrap()),
            users: UserTokens::new(world.stack.keys.signing_key(EDGE, Purpose::User).unwrap()),
            nobody: UserId::new(),
            branch: UserId::new(),
            clerk: UserId::new(),
            idler: UserId::new(),
            rows: BTreeMap::new(),
            rivals: BTreeMap::new(),
            slot,
            other_slot,
        };
        scene.find_rows(world).await;
        scene.make_rows(world, &held_slot).await;
        scene.make_roles(world).await;
        world.until_heard().await;
        scene
    }

    async fn find_rows(&mut self, world: &World) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let path = format!("/services/{}", self.slot.service);
        let service = world.expect(Method::GET, &path, None, None, StatusCode::OK).await;
        self.rows.insert("service", text(&service["id"]));
        self.rows.insert("clinic", text(&service["clinicId"]));
        self.rows.insert("vendor", text(&service["vendorId"]));
        self.rows.insert("staff", self.slot.staff.clone());
        self.rows.insert("user", DemoUser::by_email("budi@petpro.example").unwrap().id().to_string());
        let owner = self.token(Person::Owner);
        let path = format!("/vendors/{}/members?limit=100", self.rows["vendor"]);
        let members = world.expect(Method::GET, &path, Some(&owner), None, StatusCode::OK).await;
        let is_staff = |member: &&Value| member["role"] == "clinic_staff";
        self.rows
            .insert("membership", text(&members["items"].as_array().unwrap().iter().find(is_staff).unwrap()["id"]));
    }

    async fn make_rows(&mut self, world: &World, hold: &Slot) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let made = async |person: Person, path: &str, body: Value| self.made(world, person, path, body).await;
        let booking = made(Person::Customer, "/bookings", self.slot.wish()).await;
        let hold = json!({ "serviceId": hold.service, "staffId": hold.staff, "startsAt": hold.starts_at });
        let hold = made(Person::Customer, "/bookings/holds", hold).await;
        let calendar = made(Person::Customer, "/bookings/calendars", json!({})).await;
        let vendor = made(Person::Rival, "/vendors", json!({ "name": "Saingan", "kind": "clinic" })).await;
        let clinic = json!({
            "vendorId": vendor["id"],
            "name": "Saingan",
            "address": { "street": "Jl. Lain 1", "city": "Bandung", "country": "ID" },
            "timeZone": "Asia/Jakarta",
        });
        let clinic = made(Person::Rival, "/clinics", clinic).await;
        self.make_shop(world).await;
        self.make_home(world).await;
        let session = world.sign_in("budi@petpro.example").await;
        let path = "/auth/sessions";
        let sessions = world.expect(Method::GET, path, Some(&session), None, StatusCode::OK).await;
        self.rivals.insert("vendor", text(&vendor["id"]));
        self.rivals.insert("clinic", text(&clinic["id"]));
        self.rows.insert("booking", text(&booking["id"]));
        self.rows.insert("hold", text(&hold["id"]));
        self.rows.insert("calendar", text(&calendar["id"]));
        self.rows.insert("session", text(&sessions["items"][0]["id"]));
        let secret = text(&calendar["path"]);
        let secret = secret.rsplit('/').next().unwrap().trim_end_matches(".ics").to_owned();
        self.rows.insert("token", secret);
    }

    /// A product with stock, some of which is reserved.
    async fn make_shop(&mut self, world: &World) {
        let category = json!({ "name": "Uji", "slug": "uji" });
        let category = self.made(world, Person::Admin, "/categories", category).await;
        let product = json!({
            "vendorId": self.rows["vendor"],
            "categoryId": category["id"],
            "name": "Makanan uji",
            "description": "Untuk kucing",
            "variants": [{ "sku": "UJI-1", "prices": [{ "price": { "amount": 50_000, "currency": "IDR" } }] }],
        });
        let product = self.made(world, Person::Owner, "/products", product).await;
        let variant = &product["variants"][0]["id"];
        let clinic = self.rows["clinic"].clone();
        let stock = json!({ "variantId": variant, "clinicId": clinic, "onHand": 1_000, "reorderLevel": 5 });
        let stock = self.made(world, Person::Owner, "/inventory", stock).await;
        let lines = json!({ "lines": [{ "variantId": variant, "clinicId": clinic, "quantity": 1 }] });
        let reservation = self.made(world, Person::Owner, "/inventory/reservations", lines).await;
        for (name, row) in
            [("category", &category), ("product", &product), ("inventory", &stock), ("reservation", &reservation)]
        {
            self.rows.insert(name, row["id"].as_str().unwrap().to_owned());
        }
        self.rows.insert("variant", variant.as_str().unwrap().to_owned());
    }

    /// What the customer has at home.
    async fn make_home(&mut self, world: &World) {
        let address = json!({
            "label": "Rumah",
            "recipient": personal::text("Budi"),
            "phone": personal::PHONE,
            "address": {
                "street": "Jl. Uji 1",
                "village": "Uji",
                "district": "Uji",
                "city": "Jakarta",
                "province": "DKI Jakarta",
                "postalCode": "10110",
                "country": "ID",
            },
        });
        let address = self.made(world, Person::Customer, "/addresses", address).await;
        let pet = self
            .made(world, Person::Customer, "/pets", json!({ "name": personal::text("Oyen"), "species": "cat" }))
            .await;
        let shares = format!("/pets/{}/shares", pet["id"].as_str().unwrap());
        let share = self.made(world, Person::Customer, &shares, json!({ "role": "viewer" })).await;
        let token = self.token(Person::Customer);
        let export =
            world.expect(Method::POST, "/privacy/export", Some(&token), Some(json!({})), StatusCode::ACCEPTED).await;
        for (name, row) in [("address", &address), ("pet", &pet), ("petShare", &share), ("privacy", &export)] {
            self.rows.insert(name, row["id"].as_str().unwrap().to_owned());
        }
    }

    async fn make_roles(&mut self, world: &World) {
        let admin = self.token(Person::Admin);
        let permissions = world.expect(Method::GET, "/permissions", Some(&admin), None, StatusCode::OK).await;
        let all: Vec<Value> =
            permissions["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect();
        for (name, allowed) in [("clerk", all), ("idler", vec![]), ("spare", vec![])] {
            let role = json!({ "name": name, "description": "Saudara", "permissions": allowed });
            let role = self.made(world, Person::Admin, "/roles", role).await;
            self.rows.insert("role", role["id"].as_str().unwrap().to_owned());
        }
    }

    async fn made(&self, world: &World, person: Person, path: &str, body: Value) -> Value {
        world.expect(Method::POST, path, Some(&self.token(person)), Some(body), StatusCode::CREATED).await
    }

    /// A user as a token names one, in a session of its own.
    pub fn user(&self, person: Person) -> User {
        let email = match person {
            Person::Admin => "admin@petpro.example",
            Person::Owner => "dewi@petpro.example",
            Person::Staff => "rina@petpro.example",
            Person::Customer => "budi@petpro.example",
            Person::Rival => "siti@petpro.example",
            Person::Branch | Person::Nobody | Person::Clerk | Person::Idler => "",
        };
        let stranger = match person {
            Person::Branch => self.branch,
            Person::Clerk => self.clerk,
            Person::Idler => self.idler,
            _ => self.nobody,
        };
        let strangers_role = match person {
            Person::Clerk => Role::parse("clerk").unwrap(),
            Person::Idler => Role::parse("idler").unwrap(),
            _ => Role::Customer,
        };
        let (id, role) = DemoUser::by_email(email).map_or((stranger, strangers_role), |user| (user.id(), user.role));
        User { id, session: SessionId::new(), roles: vec![role] }
    }

    /// A fresh access token.
    pub fn token(&self, person: Person) -> String {
        self.tokens.issue(&self.user(person), Utc::now())
    }

    /// A fresh user token, as the edge signs it for the inside.
    pub fn user_token(&self, person: Person) -> String {
        self.users.issue(&self.user(person), Utc::now())
    }

    /// One that is over.
    pub fn expired_token(&self, person: Person) -> String {
        self.tokens.issue(&self.user(person), Utc::now() - chrono::Duration::hours(1))
    }

    /// Who may do it with the rows.
    pub fn rightful(&self, sample: &Sample) -> Person {
        let subject = sample.operation.subject;
        match subject {
            "vendor.approve" | "vendor.reject" | "vendor.suspend" | "user.findAll" | "permission.findAll"
            | "audit.findAll" | "role.findAll" | "role.findOne" | "role.create" | "role.update" | "role.remove"
            | "role.assign" => Person::Admin,
            "category.create" | "category.update" | "category.remove" => Person::Admin,
            "booking.confirm" | "booking.complete" | "booking.noShow" | "membership.accept" => Person::Staff,
            // Whoever has nothing loses nothing by it.
            "privacy.erase" => Person::Nobody,
            _ if CUSTOMERS.contains(&entity(subject)) => Person::Customer,
            _ => Person::Owner,
        }
    }

    /// The token of whoever may; none where the route takes only requests without.
    pub fn rightful_token(&self, sample: &Sample) -> Option<String> {
        sample.takes_token().then(|| self.token(self.rightful(sample)))
    }

    /// The id of a row by its entity's name.
    pub fn named(&self, entity: &str) -> &str {
        &self.rows[entity]
    }

    /// The id that a field of a sample should have.
    pub fn row(&self, sample: &Sample, field: &str) -> Option<&String> {
        let name = if field == "id" { entity_of(sample) } else { field.strip_suffix("Id").unwrap_or(field) };
        self.rows.get(name)
    }

    /// The sample with real rows; a change of a row with what the row has now, and with its version.
    pub async fn real(&self, world: &World, sample: Sample) -> (Sample, Option<i64>) {
        let mut real = sample;
        for field in real.rest.path_fields() {
            let id = self.row(&real, field).cloned();
            real = real.with_path(field, &id.unwrap_or_else(|| panic!("{} has no {field}", real.name())));
        }
        for field in real.fields().into_iter().filter(|field| real.requires(field)).collect::<Vec<_>>() {
            let known = match field.as_str() {
                "startsAt" => Some(self.other_slot.starts_at.as_str()),
                "from" => self.slot.starts_at.get(..10),
                // Not one of those that are tried first.
                "password" | "newPassword" => Some(GOOD_PASSWORD),
                "timeZone" => Some("Asia/Jakarta"),
                // A place, and a kind of membership, not the rows of these names.
                "address" | "role" => None,
                _ => self.row(&real, &field).map(String::as_str),
            };
            real = known.and_then(|value| real.with(&field, json!(value))).unwrap_or(real);
        }
        if real.operation.subject == "booking.create" {
            real = real.with("pet", json!({ "name": personal::text("Oyen"), "species": "cat" })).unwrap();
        }
        if real.operation.subject == "availability.findAll" {
            real = real.with("serviceId", json!(self.slot.service)).unwrap();
        }
        match real.operation.subject {
            "vendor.register" => real = real.with_inner("/owner/password", json!(GOOD_PASSWORD)),
            "inventory.reserve" => {
                real = real.with_inner("/lines/0/variantId", json!(self.rows["variant"]));
            }
            "privacy.erase" => real = real.with("userId", json!(self.nobody)).unwrap(),
            "petRecord.create" => real = real.with("note", json!(personal::text("Tidur nyenyak"))).unwrap(),
            _ => {}
        }
        let Some(path) = self.place(&real) else { return (real, None) };
        let now = self.find(world, &real, &path).await;
        for field in real.fields() {
            let is_mine =
                now.get(&field).is_some() && !(real.rest.method == subjects::Method::Patch && field == "status");
            if is_mine {
                real = real.with(&field, as_asked(&field, &now[&field])).unwrap();
            }
        }
        (real, Some(now["version"].as_i64().unwrap()))
    }

    /// Where the row can be read that a PUT or PATCH changes.
    fn place(&self, sample: &Sample) -> Option<String> {
        let changes = matches!(sample.rest.method, subjects::Method::Put | subjects::Method::Patch);
        let rows = &self.rows;
        let path = match entity_of(sample) {
            "hours" => format!("/clinics/{}/hours", rows["clinic"]),
            "membership" => format!("/vendors/{}/members?limit=100", rows["vendor"]),
            "staff" => format!("/staff/{}", rows["staff"]),
            "category" => format!("/categories/{}", rows["category"]),
            "inventory" => format!("/inventory/{}", rows["inventory"]),
            "address" => format!("/addresses/{}", rows["address"]),
            "profile" => format!("/profiles/{}", rows["user"]),
            "preference" => "/preferences".to_owned(),
            name => format!("/{name}s/{}", rows.get(name)?),
        };
        changes.then_some(path)
    }

    async fn find(&self, world: &World, sample: &Sample, path: &str) -> Value {
        let token = self.rightful_token(sample);
        let found = world.expect(Method::GET, path, token.as_deref(), None, StatusCode::OK).await;
        let Some(items) = found["items"].as_array() else { return found };
        items
            .iter()
            .find(|item| item["id"].as_str() == self.rows.get(entity_of(sample)).map(String::as_str))
            .unwrap()
            .clone()
    }

    /// The request of a sample.
    pub fn request(&self, sample: &Sample, token: Option<&str>, version: Option<i64>) -> RequestBuilder {
        let mut request = sample.request(&self.http, self.edge);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(version) = version {
            request = request.header("If-Match", format!("\"{version}\""));
        }
        request
    }

    /// Sends what somebody may do.
    pub async fn send(&self, sample: &Sample, version: Option<i64>) -> Answer {
        Answer::to(self.request(sample, self.rightful_token(sample).as_deref(), version)).await
    }
}

impl Answer {
    /// Sends a request. Whatever it is, it is no fault of the platform, and a refusal is a problem.
    pub async fn to(request: RequestBuilder) -> Answer {
        let sent = request.try_clone().unwrap().build().unwrap();
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let headers = answer.headers().clone();
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_problem = header("content-type").starts_with("application/problem+json");
        let has_challenge = header("www-authenticate").starts_with("Bearer");
        // A stream has no end to wait for.
        let is_stream = header("content-type").starts_with("text/event-stream");
        let bytes = if is_stream { Default::default() } else { answer.bytes().await.unwrap() };
        if !is_stream {
            crate::documented::check(sent.method(), sent.url().path(), status, &headers, &bytes);
        }
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let seen = Answer { status, body };
        if status >= 400 {
            testkit::check_refusal(sent.url().path(), &String::from_utf8_lossy(&bytes));
        }
        let what = || {
            let body = sent.body().and_then(|body| body.as_bytes()).map(String::from_utf8_lossy).unwrap_or_default();
            format!("{} {} {:.300}: {seen:?}", sent.method(), sent.url(), body)
        };
        assert!(status < 500, "{}", what());
        assert!(status < 400 || (is_problem && seen.body["status"] == status), "{}", what());
        assert!(status < 400 || seen.body["correlationId"].is_string(), "{}", what());
        assert!(status != 401 || has_challenge, "{}", what());
        seen
    }

    pub fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or_default()
    }

    /// The JSON Pointers of all violations.
    pub fn pointers(&self) -> Vec<&str> {
        let violations = self.body["errors"].as_array();
        violations.into_iter().flatten().map(|violation| violation["pointer"].as_str().unwrap()).collect()
    }
}

/// Runs all of them, some at once, and answers in their order.
pub async fn all<T>(tasks: Vec<impl Future<Output = T>>) -> Vec<T> {
    futures::stream::iter(tasks).buffered(AT_ONCE).collect().await
}

/// What a field of a row is in a request: without what only answers tell.
fn as_asked(field: &str, value: &Value) -> Value {
    let mut asked = value.clone();
    if field == "variants" {
        for variant in asked.as_array_mut().into_iter().flatten() {
            variant.as_object_mut().unwrap().remove("price");
        }
    }
    asked
}

fn entity(subject: &str) -> &str {
    subject.split('.').next().unwrap()
}

/// The entity whose row it is about.
fn entity_of(sample: &Sample) -> &'static str {
    match sample.operation.subject {
        "role.assign" => "user",
        "auth.revokeSession" => "session",
        "inventory.commit" | "inventory.release" => "reservation",
        subject => subject.split('.').next().unwrap(),
    }
}
