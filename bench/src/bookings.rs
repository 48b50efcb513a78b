//! Bookings without end: a clinic that never closes, with enough staff that no two requests want the same time.

use crate::connection::{Connection, expect};
use crate::load::Worker;
use anyhow::{Context as _, anyhow};
use chrono::{DateTime, Days, NaiveTime, SecondsFormat, TimeDelta, Utc};
use http::{Method, StatusCode};
use identity::keys::{AUTH, KeyStore, Purpose};
use identity::{AccessTokens, User};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use subjects::Role;
use subjects::ids::{SessionId, UserId};
use subjects::vendor::Weekday;

/// More than ask at a time, so that those who book at the same time book with different staff.
const STAFF: u32 = 100;
/// How long a visit takes; visits of one staff member follow each other without a gap.
const VISIT_MINUTES: i64 = 5;
/// Where the canonical routes begin.
const API: &str = "/api/v1";

/// The clinic that is booked at.
pub struct BenchClinic {
    /// The path of its own resource.
    pub path: String,
    /// Its id.
    pub id: String,
    slots: Arc<Slots>,
}

impl BenchClinic {
    /// Makes a vendor with the clinic, its hours, its service and its staff over the REST API, as the platform's admin.
    ///
    /// # Errors
    /// The platform refuses something.
    pub async fn create(edge: SocketAddr, keys: &KeyStore) -> anyhow::Result<BenchClinic> {
        let token = access_token(keys, Role::PlatformAdmin)?;
        let mut admin = Admin { connection: Connection::open(edge).await?, token };
        let vendor = json!({ "name": "Klinik Tanpa Henti", "kind": "clinic", "description": "Open day and night." });
        let vendor = admin.create("/vendors", &vendor).await?;
        let vendor_path = format!("/vendors/{vendor}");
        for step in ["submit", "approve"] {
            admin.ask(Method::POST, &format!("{vendor_path}/{step}"), None, &json!({}), StatusCode::OK).await?;
        }

        let clinic = json!({
            "name": "Klinik Tanpa Henti Menteng",
            "description": "A clinic with a hundred vets, for measurements.",
            "address": {
                "street": "Jalan Teuku Umar 1", "district": "Menteng", "city": "Jakarta",
                "province": "DKI Jakarta", "country": "ID",
            },
            "coordinates": { "latitude": -6.195, "longitude": 106.832 },
            "timeZone": "Asia/Jakarta",
        });
        let id = admin.create(&format!("{vendor_path}/clinics"), &clinic).await?;
        let clinic_path = format!("/clinics/{id}");
        let weekly = Weekday::ALL.map(|day| json!({ "day": day, "opens": "00:00", "closes": "00:00" }));
        let hours = json!({ "weekly": weekly });
        admin.replace(&format!("{clinic_path}/hours"), &hours).await?;
        let service = json!({
            "name": "Konsultasi singkat",
            "durationMinutes": VISIT_MINUTES,
            "price": { "amount": 50_000, "currency": "IDR" },
        });
        let service = admin.create(&format!("{clinic_path}/services"), &service).await?;
        let mut staff = Vec::new();
        for number in 1..=STAFF {
            let member = json!({ "displayName": format!("Dokter {number}"), "serviceIds": [service] });
            staff.push(admin.create(&format!("{clinic_path}/staff"), &member).await?);
        }
        let slots = Arc::new(Slots { service, staff, first: first_visit(Utc::now()), taken: AtomicU32::new(0) });
        Ok(BenchClinic { path: format!("{API}{clinic_path}"), id, slots })
    }

    /// Customers, each with an account and a connection of their own.
    ///
    /// # Errors
    /// The edge is away.
    pub async fn customers(&self, count: usize, edge: SocketAddr, keys: &KeyStore) -> anyhow::Result<Vec<Customer>> {
        let mut customers = Vec::new();
        for _ in 0..count {
            let connection = Connection::open(edge).await?;
            let token = access_token(keys, Role::Customer)?;
            customers.push(Customer { connection, token, slots: self.slots.clone() });
        }
        Ok(customers)
    }
}

/// The platform's admin at work.
struct Admin {
    connection: Connection,
    token: String,
}

impl Admin {
    async fn create(&mut self, path: &str, body: &Value) -> anyhow::Result<String> {
        let made = self.ask(Method::POST, path, None, body, StatusCode::CREATED).await?;
        let id = made.get("id").and_then(Value::as_str);
        Ok(id.with_context(|| format!("what POST {path} answers has no id: {made}"))?.to_owned())
    }

    async fn replace(&mut self, path: &str, body: &Value) -> anyhow::Result<()> {
        let current = self.ask(Method::GET, path, None, &Value::Null, StatusCode::OK).await?;
        let version = current.get("version").and_then(Value::as_i64);
        let version = version.with_context(|| format!("what GET {path} answers has no version: {current}"))?;
        self.ask(Method::PUT, path, Some(version), body, StatusCode::OK).await.map(|_replaced| ())
    }

    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        version: Option<i64>,
        body: &Value,
        expected: StatusCode,
    ) -> anyhow::Result<Value> {
        let what = format!("{method} {path}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let sent = self.connection.send_json(method, &format!("{API}{path}"), &self.token, version, body).await;
        let (status, answer) = sent.with_context(|| what.clone())?;
        expect(status, expected, &answer).map_err(|refusal| anyhow!("{what}: {refusal}"))?;
        Ok(serde_json::from_slice(&answer)?)
    }
}

/// Times that nobody has taken yet: first each staff member's first visit, then each one's second, and so on.
struct Slots {
    service: String,
    staff: Vec<String>,
    first: DateTime<Utc>,
    taken: AtomicU32,
}

impl Slots {
    /// The body of a request for the next one.
    fn next_wish(&self) -> String {
        let number = self.taken.fetch_add(1, Ordering::Relaxed);
        let (staff, visit) = (number % STAFF, number / STAFF);
        let later = TimeDelta::minutes(VISIT_MINUTES * i64::from(visit));
        let wish = json!({
            "serviceId": self.service,
            "staffId": self.staff.get(staff as usize),
            "startsAt": (self.first + later).to_rfc3339_opts(SecondsFormat::Secs, true),
            "pet": { "name": "Oyen", "species": "cat" },
        });
        wish.to_string()
    }
}

/// Midnight UTC of the day after tomorrow: far enough ahead to stay in the future, and no visit crosses the clinic's own
/// midnight, which lies on a whole hour too.
fn first_visit(now: DateTime<Utc>) -> DateTime<Utc> {
    let day = now.date_naive() + Days::new(2);
    day.and_time(NaiveTime::MIN).and_utc()
}

/// Books one time after the other.
pub struct Customer {
    connection: Connection,
    token: String,
    slots: Arc<Slots>,
}

impl Worker for Customer {
    async fn ask(&mut self) -> Result<(), String> {
        let wish = self.slots.next_wish();
        let sent = self.connection.send_json(Method::POST, "/api/v1/bookings", &self.token, None, wish).await;
        let (status, body) = sent.map_err(|error| format!("{error:#}"))?;
        expect(status, StatusCode::CREATED, &body)?;
        let booking: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        // Made on the read models because the vendor service did not answer in time: not the work that is measured.
        match booking.get("provisional") {
            Some(Value::Bool(false)) => Ok(()),
            _ => Err("the booking is provisional".to_owned()),
        }
    }
}

/// Signed with the platform's own key: a login would only measure password hashing.
fn access_token(keys: &KeyStore, role: Role) -> anyhow::Result<String> {
    let tokens = AccessTokens::new(keys.signing_key(AUTH, Purpose::Access)?);
    let user = User { id: UserId::new(), session: SessionId::new(), roles: vec![role] };
    Ok(tokens.issue(&user, Utc::now()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_time_is_wanted_twice_and_neighbours_have_different_staff() {
        let staff: Vec<String> = (0..STAFF).map(|number| number.to_string()).collect();
        let first = first_visit("2026-03-01T10:00:00Z".parse().unwrap());
        let slots = Slots { service: "s".to_owned(), staff, first, taken: AtomicU32::new(0) };
        let wishes: Vec<String> = (0..STAFF * 3).map(|_| slots.next_wish()).collect();
        let distinct: BTreeSet<&String> = wishes.iter().collect();
        assert_eq!(distinct.len(), wishes.len());
        let last: Value = serde_json::from_str(&wishes[wishes.len() - 1]).unwrap();
        assert_eq!(last["startsAt"], "2026-03-03T00:10:00Z");
        assert_eq!(last["staffId"], "99");
    }
}
