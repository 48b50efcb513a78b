//! A clinic for rivals: always open, with services and staff that a test asks for, and many customers.

use crate::world::World;
use chrono::{DateTime, Duration, DurationRound as _, Utc};
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Who runs every demo clinic.
const OWNER: &str = "dewi@petpro.example";

/// A demo clinic that never closes.
pub struct Arena {
    /// The clinic's id.
    pub clinic: String,
    owner: String,
}

/// How a rush of requests was answered: how often which status, with which reason.
pub type Tally = BTreeMap<(u16, String), usize>;

impl Arena {
    /// Opens a demo clinic around the clock.
    pub async fn open(world: &World) -> Arena {
        let owner = world.sign_in(OWNER).await;
        let services = world.expect(Method::GET, "/services?limit=1", None, None, StatusCode::OK).await;
        let clinic = services["items"][0]["clinicId"].as_str().unwrap().to_owned();
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        let weekly: Vec<Value> =
            days.iter().map(|day| json!({ "day": day, "opens": "00:00", "closes": "00:00" })).collect();
        let arena = Arena { clinic, owner };
        arena.set_hours(world, json!(weekly)).await;
        arena
    }

    /// Sets the clinic's week.
    pub async fn set_hours(&self, world: &World, weekly: Value) {
        let path = format!("/clinics/{}/hours", self.clinic);
        let hours = world.expect(Method::GET, &path, None, None, StatusCode::OK).await;
        let answer = world
            .http
            .put(world.url(&path))
            .bearer_auth(&self.owner)
            .header("If-Match", format!("\"{}\"", hours["version"]))
            .json(&json!({ "weekly": weekly, "exceptions": [] }))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{}", answer.text().await.unwrap());
    }

    /// Adds a service of so many minutes, which so many pets can share.
    pub async fn service(&self, world: &World, name: &str, minutes: u16, capacity: u16) -> String {
        let body = json!({
            "name": name,
            "durationMinutes": minutes,
            "slotStepMinutes": 15,
            "price": { "amount": 100_000, "currency": "IDR" },
            "capacity": capacity,
        });
        let path = format!("/clinics/{}/services", self.clinic);
        let made = world.expect(Method::POST, &path, Some(&self.owner), Some(body), StatusCode::CREATED).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Adds a staff member who performs these services, and waits until the booking service knows them.
    pub async fn staff(&self, world: &World, services: &[&str]) -> String {
        let body = json!({ "displayName": "drh. Tangkas", "serviceIds": services });
        let path = format!("/clinics/{}/staff", self.clinic);
        let made = world.expect(Method::POST, &path, Some(&self.owner), Some(body), StatusCode::CREATED).await;
        let staff = made["id"].as_str().unwrap().to_owned();
        let day = (Utc::now() + Duration::days(2)).date_naive();
        for service in services {
            let path = format!("/bookings/availability?serviceId={service}&staffId={staff}&from={day}&limit=1");
            world
                .until("the new staff member can be booked", async || {
                    let (status, free) = world.ask(Method::GET, &path, None, None).await;
                    status == 200 && free["items"].as_array().is_some_and(|items| !items.is_empty())
                })
                .await;
        }
        staff
    }
}

/// Midnight UTC so many days ahead.
pub fn day_ahead(days: i64) -> DateTime<Utc> {
    (Utc::now() + Duration::days(days)).duration_trunc(Duration::days(1)).unwrap()
}

/// The body that books a service with a staff member.
pub fn wish(service: &str, staff: &str, starts_at: DateTime<Utc>) -> Value {
    json!({
        "serviceId": service,
        "staffId": staff,
        "startsAt": starts_at,
        "pet": { "name": testkit::personal::text("Oyen"), "species": "cat" },
    })
}

/// Access tokens of customers, signed with the platform's own key: as many logins would only measure password hashing.
pub fn customers(world: &World, count: usize) -> Vec<String> {
    use identity::keys::{AUTH, Purpose};
    use subjects::Role;
    use subjects::ids::{SessionId, UserId};
    let key = world.stack.keys.signing_key(AUTH, Purpose::Access).unwrap();
    let tokens = identity::AccessTokens::new(key);
    (0..count)
        .map(|_| {
            let user = identity::User { id: UserId::new(), session: SessionId::new(), roles: vec![Role::Customer] };
            tokens.issue(&user, Utc::now())
        })
        .collect()
}

/// One request of a rush.
pub struct Attempt<'a> {
    pub method: Method,
    pub path: String,
    pub token: &'a str,
    pub if_match: Option<i64>,
    pub body: Value,
}

impl<'a> Attempt<'a> {
    /// A booking.
    pub fn booking(token: &'a str, body: Value) -> Attempt<'a> {
        Attempt { method: Method::POST, path: "/bookings".to_owned(), token, if_match: None, body }
    }
}

/// Sends all at once and counts the answers. What was refused for want of room must say when to come again.
pub async fn rush(world: &World, attempts: Vec<Attempt<'_>>) -> Tally {
    let answers = attempts.into_iter().map(|attempt| {
        let mut request =
            world.http.request(attempt.method, world.url(&attempt.path)).bearer_auth(attempt.token).json(&attempt.body);
        if let Some(version) = attempt.if_match {
            request = request.header("If-Match", format!("\"{version}\""));
        }
        async move {
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let may_come_again = answer.headers().contains_key("retry-after");
            assert!(status != 503 || may_come_again, "a 503 without Retry-After");
            let body: Value = answer.json().await.unwrap_or_default();
            (status, body["reason"].as_str().unwrap_or_default().to_owned())
        }
    });
    let mut tally = Tally::new();
    for answered in join_all(answers).await {
        *tally.entry(answered).or_default() += 1;
    }
    tally
}

/// Exactly `winners` of a rush won with `won`; everybody else was told `slot_taken`, or to come again.
#[track_caller]
pub fn check(what: &str, tally: &Tally, won: u16, winners: usize) {
    let wins: usize = tally.iter().filter(|((status, _), _)| *status == won).map(|(_, count)| count).sum();
    assert_eq!(wins, winners, "{what}: {tally:?}");
    for (status, reason) in tally.keys() {
        let is_expected = *status == won || (*status, reason.as_str()) == (409, "slot_taken") || *status == 503;
        assert!(is_expected, "{what}: {tally:?}");
    }
}

/// Postgres has broken no deadlock, and no log speaks of one.
pub async fn check_no_deadlock(world: &World) {
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(world.count(deadlocks).await, 0);
    assert!(!world.log().contains("deadlock"), "{}", world.log());
}
