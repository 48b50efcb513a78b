//! The clinics that are measured at, made over the REST API as the platform's admin.

use crate::connection::{Connection, expect};
use crate::people;
use crate::wrk::Slots;
use anyhow::{Context as _, anyhow};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use http::{Method, StatusCode};
use identity::keys::KeyStore;
use serde_json::{Value, json};
use std::net::SocketAddr;
use subjects::Role;
use subjects::vendor::Weekday;

/// Where the canonical routes begin.
pub const API: &str = "/api/v1";
/// The staff of the clinic that never closes: more than ask at a time, so that those who book at the same time book with
/// different staff; and so many that all times of all measurements lie within the window in which it can be booked.
const STAFF_OF_THE_OPEN_ONE: u32 = 200;
/// How long a visit takes there; visits of one staff member follow each other without a gap.
const VISIT_MINUTES: i64 = 15;

/// What a clinic is like.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Its name and its vendor's.
    pub name: &'static str,
    /// How many work there; all of them perform its service.
    pub staff: u32,
    /// When it opens, on every day.
    pub opens: &'static str,
    /// When it closes; the same as `opens`: never.
    pub closes: &'static str,
    /// How long a visit takes.
    pub visit_minutes: i64,
}

/// A clinic that was made.
#[derive(Debug)]
pub struct Clinic {
    /// Its id.
    pub id: String,
    /// Its only service.
    pub service: String,
    /// Its staff.
    pub staff: Vec<String>,
}

/// A clinic that never closes, where nobody has to wait for a time.
pub const ALWAYS_OPEN: Plan = Plan {
    name: "Klinik Tanpa Henti",
    staff: STAFF_OF_THE_OPEN_ONE,
    opens: "00:00",
    closes: "00:00",
    visit_minutes: VISIT_MINUTES,
};

impl Clinic {
    /// Makes a vendor with the clinic, its hours, its service and its staff.
    ///
    /// # Errors
    /// The platform refuses something.
    pub async fn create(plan: Plan, edge: SocketAddr, keys: &KeyStore) -> anyhow::Result<Clinic> {
        let Plan { name, staff: staff_count, opens, closes, visit_minutes } = plan;
        let token = people::access_token(keys, people::somebody(Role::PlatformAdmin))?;
        let mut admin = Admin { connection: Connection::open(edge).await?, token };
        let vendor = json!({ "name": name, "kind": "clinic", "description": "For measurements." });
        let vendor = admin.create("/vendors", &vendor).await?;
        for step in ["submit", "approve"] {
            admin.ask(Method::POST, &format!("/vendors/{vendor}/{step}"), None, &json!({}), StatusCode::OK).await?;
        }
        let clinic = json!({
            "name": format!("{name} Menteng"),
            "description": "A clinic with many vets, for measurements.",
            "address": {
                "street": "Jalan Teuku Umar 1", "district": "Menteng", "city": "Jakarta",
                "province": "DKI Jakarta", "country": "ID",
            },
            "coordinates": { "latitude": -6.195, "longitude": 106.832 },
            "timeZone": "Asia/Jakarta",
        });
        let id = admin.create(&format!("/vendors/{vendor}/clinics"), &clinic).await?;
        let weekly = Weekday::ALL.map(|day| json!({ "day": day, "opens": opens, "closes": closes }));
        admin.replace(&format!("/clinics/{id}/hours"), &json!({ "weekly": weekly })).await?;
        let service = json!({
            "name": "Konsultasi singkat",
            "durationMinutes": visit_minutes,
            "price": { "amount": 50_000, "currency": "IDR" },
        });
        let service = admin.create(&format!("/clinics/{id}/services"), &service).await?;
        let mut staff = Vec::new();
        for number in 1..=staff_count {
            let member = json!({ "displayName": format!("Dokter {number}"), "serviceIds": [service] });
            staff.push(admin.create(&format!("/clinics/{id}/staff"), &member).await?);
        }
        Ok(Clinic { id, service, staff })
    }

    /// Times of the clinic that never closes, from the one with the number `first_slot` on.
    pub fn slots(&self, first_slot: u64) -> Slots {
        // The clinic's own midnight lies on a whole hour of UTC too, so no visit crosses it.
        let first_visit = first_day(Utc::now()).and_time(NaiveTime::MIN).and_utc();
        Slots {
            service: self.service.clone(),
            staff: self.staff.clone(),
            first_visit: first_visit.timestamp(),
            visit_seconds: VISIT_MINUTES * 60,
            first_slot,
        }
    }
}

/// The day after tomorrow: far enough ahead to stay in the future.
pub fn first_day(now: DateTime<Utc>) -> NaiveDate {
    now.date_naive() + Days::new(2)
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
