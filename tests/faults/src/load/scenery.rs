//! What is booked and moved: free times and stocks of the demo data, each for one at a time, so that neither runs out
//! and no two requests get into each other's way.

use super::people::Tokens;
use crate::world::World;
use anyhow::{Context as _, ensure};
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;
use std::collections::BTreeMap;

/// How much time is left free on both sides of a visit: no demo service keeps more than half an hour after it.
const MARGIN: Duration = Duration::minutes(45);
/// How many days ahead visits lie, at the most.
const DAYS: u64 = 28;

/// A time of one staff member that can be booked.
#[derive(Debug, Clone)]
pub struct Slot {
    /// The service.
    pub service_id: String,
    /// Who performs it.
    pub staff_id: String,
    /// When.
    pub starts_at: String,
}

/// A stock.
#[derive(Debug, Clone)]
pub struct Stock {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: i64,
}

/// All that the load uses.
#[derive(Debug, Clone)]
pub struct Scenery {
    /// Free times, none of which touches another.
    pub slots: Vec<Slot>,
    /// Stocks.
    pub stocks: Vec<Stock>,
    /// The pet of the cat's owner.
    pub cat: String,
    /// The pet of the dog's owner.
    pub dog: String,
}

impl Scenery {
    /// Looks for so many free times and stocks.
    ///
    /// # Errors
    /// There are too few.
    pub async fn find(world: &World, tokens: &Tokens, slots: usize, stocks: usize) -> anyhow::Result<Scenery> {
        let looking = Looking { http: reqwest::Client::new(), edge: world.processes.edges().first().cloned() };
        Ok(Scenery {
            slots: looking.slots(slots).await?,
            stocks: looking.stocks(&tokens.clinic_owner, stocks).await?,
            cat: looking.pet(&tokens.cat_owner).await?,
            dog: looking.pet(&tokens.dog_owner).await?,
        })
    }
}

/// When something begins and ends.
type Period = (DateTime<Utc>, DateTime<Utc>);

struct Looking {
    http: reqwest::Client,
    edge: Option<String>,
}

impl Looking {
    async fn get(&self, path: &str, token: Option<&str>) -> anyhow::Result<Value> {
        let edge = self.edge.as_deref().context("there is no edge")?;
        let mut request = self.http.get(format!("{edge}/api/v1{path}"));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.json().await?;
        ensure!(status.is_success(), "{path}: {status} {body}");
        Ok(body)
    }

    async fn slots(&self, count: usize) -> anyhow::Result<Vec<Slot>> {
        let services = self.get("/services?limit=100", None).await?;
        let first = Utc::now().date_naive() + chrono::Days::new(2);
        let last = first + chrono::Days::new(DAYS);
        // When each staff member is taken by what was found before.
        let mut taken: BTreeMap<String, Vec<Period>> = BTreeMap::new();
        let mut found = Vec::new();
        for service in items(&services).filter(|service| service.pointer("/capacity") == Some(&Value::from(1))) {
            let id = text(service, "/id")?;
            let path = format!("/bookings/availability?serviceId={id}&from={first}&to={last}&limit=500");
            let free = self.get(&path, None).await?;
            for slot in items(&free) {
                let (begin, end) = (moment(slot, "/startsAt")?, moment(slot, "/endsAt")?);
                let staff = text(slot, "/staffIds/0")?;
                let of_staff = taken.entry(staff.clone()).or_default();
                let is_apart =
                    of_staff.iter().all(|(other, its_end)| end + MARGIN <= *other || *its_end + MARGIN <= begin);
                if is_apart {
                    of_staff.push((begin, end));
                    found.push(Slot { service_id: id.clone(), staff_id: staff, starts_at: text(slot, "/startsAt")? });
                }
            }
            if found.len() >= count {
                break;
            }
        }
        ensure!(found.len() >= count, "there are {} free times, {count} are needed", found.len());
        found.truncate(count);
        Ok(found)
    }

    async fn stocks(&self, token: &str, count: usize) -> anyhow::Result<Vec<Stock>> {
        let mut found = Vec::new();
        let mut path = "/inventory?limit=100".to_owned();
        while found.len() < count {
            let page = self.get(&path, Some(token)).await?;
            for stock in items(&page) {
                let version = stock.pointer("/version").and_then(Value::as_i64).context("a stock without version")?;
                found.push(Stock { id: text(stock, "/id")?, version });
            }
            match page.pointer("/nextCursor").and_then(Value::as_str) {
                Some(cursor) => path = format!("/inventory?limit=100&cursor={cursor}"),
                None => break,
            }
        }
        ensure!(found.len() >= count, "there are {} stocks, {count} are needed", found.len());
        found.truncate(count);
        Ok(found)
    }

    async fn pet(&self, token: &str) -> anyhow::Result<String> {
        let pets = self.get("/pets?limit=1", Some(token)).await?;
        text(items(&pets).next().context("somebody has no pet")?, "/id")
    }
}

fn items(page: &Value) -> impl Iterator<Item = &Value> {
    page.pointer("/items").and_then(Value::as_array).into_iter().flatten()
}

fn text(value: &Value, pointer: &str) -> anyhow::Result<String> {
    let text = value.pointer(pointer).and_then(Value::as_str);
    Ok(text.with_context(|| format!("{pointer} is missing in {value}"))?.to_owned())
}

fn moment(value: &Value, pointer: &str) -> anyhow::Result<DateTime<Utc>> {
    Ok(DateTime::parse_from_rfc3339(&text(value, pointer)?)?.with_timezone(&Utc))
}
