//! A clinic with ten staff and many bookings, for questions about free times.

use crate::clinics::{API, Clinic, Plan, first_day};
use crate::connection::{Connection, expect};
use crate::people;
use anyhow::anyhow;
use chrono::{DateTime, Days, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use http::{Method, StatusCode};
use identity::keys::KeyStore;
use serde_json::json;
use std::net::SocketAddr;
use subjects::Role;
use tokio::task::JoinSet;

/// How many days one question spans, the most that may be asked for.
pub const DAYS: u64 = 31;
const STAFF: u32 = 10;
/// How many visits of each staff member a day are booked: every hour from opening time on.
const VISITS_A_DAY: u32 = 7;
/// How many book at a time.
const AT_A_TIME: u32 = 10;
/// When it opens, in UTC; 08:00 in Jakarta.
const OPENS_AT_HOUR: i64 = 1;

const PLAN: Plan = Plan { name: "Klinik Ramai", staff: STAFF, opens: "08:00", closes: "17:00", visit_minutes: 30 };

/// The clinic.
pub struct BusyClinic {
    clinic: Clinic,
    first_day: NaiveDate,
}

impl BusyClinic {
    /// Makes it, with so many bookings; there is room for 2,170.
    ///
    /// # Errors
    /// The platform refuses something.
    pub async fn create(bookings: u32, edge: SocketAddr, keys: &KeyStore) -> anyhow::Result<BusyClinic> {
        let clinic = Clinic::create(PLAN, edge, keys).await?;
        let busy = BusyClinic { clinic, first_day: first_day(Utc::now()) };
        let mut booking = JoinSet::new();
        for worker in 0..AT_A_TIME {
            let bodies: Vec<String> =
                (worker..bookings).step_by(AT_A_TIME as usize).map(|number| busy.wish(number)).collect();
            let token = people::access_token(keys, people::somebody(Role::Customer))?;
            booking.spawn(book(bodies, edge, token));
        }
        while let Some(booked) = booking.join_next().await {
            booked??;
        }
        Ok(busy)
    }

    /// The question for every free time of the next days.
    pub fn path(&self) -> String {
        let last_day = self.first_day + Days::new(DAYS - 1);
        format!("{API}/bookings/availability?serviceId={}&from={}&to={last_day}", self.clinic.service, self.first_day)
    }

    fn wish(&self, number: u32) -> String {
        let staff = self.clinic.staff.get((number % STAFF) as usize);
        let starts_at = starts_at(self.first_day, number / STAFF).to_rfc3339_opts(SecondsFormat::Secs, true);
        let pet = json!({ "name": "Oyen", "species": "cat" });
        json!({ "serviceId": self.clinic.service, "staffId": staff, "startsAt": starts_at, "pet": pet }).to_string()
    }
}

fn starts_at(first_day: NaiveDate, visit: u32) -> DateTime<Utc> {
    let day = first_day + Days::new(u64::from(visit / VISITS_A_DAY));
    let hours = OPENS_AT_HOUR + i64::from(visit % VISITS_A_DAY);
    day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::hours(hours)
}

async fn book(bodies: Vec<String>, edge: SocketAddr, token: String) -> anyhow::Result<()> {
    let mut connection = Connection::open(edge).await?;
    for body in bodies {
        let sent = connection.send_json(Method::POST, &format!("{API}/bookings"), &token, None, body).await;
        let (status, answer) = sent?;
        expect(status, StatusCode::CREATED, &answer).map_err(|refusal| anyhow!("POST /bookings: {refusal}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_thousand_bookings_lie_within_the_days_that_are_asked_for() {
        let first_day = NaiveDate::from_ymd_opt(2026, 3, 1).unwrap();
        assert_eq!(starts_at(first_day, 0).to_rfc3339(), "2026-03-01T01:00:00+00:00");
        assert_eq!(starts_at(first_day, 8).to_rfc3339(), "2026-03-02T02:00:00+00:00");
        let last = starts_at(first_day, 2_000 / STAFF - 1);
        assert!(last.date_naive() < first_day + Days::new(DAYS), "{last}");
    }
}
