//! `/health`: the state of every service, as the services themselves tell it.

use chrono::Utc;
use platform::discovery;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use subjects::catalogue;
use tokio::sync::Mutex;

/// How long services have to answer.
const WAIT: Duration = Duration::from_millis(250);
/// How long a finding is told again, so that many who ask are no load.
const KEPT: Duration = Duration::from_secs(1);

/// Asks the mesh who is there, and remembers for a second.
pub struct MeshHealth {
    nats: async_nats::Client,
    last: Mutex<Option<(Instant, Finding)>>,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The whole answer.
    pub document: Value,
    /// False when nothing can be answered at all.
    pub is_up: bool,
}

impl MeshHealth {
    /// Asks over this connection.
    pub fn new(nats: async_nats::Client) -> MeshHealth {
        MeshHealth { nats, last: Mutex::new(None) }
    }

    /// The state of every service. Those who ask at the same time wait for one answer.
    pub async fn find(&self) -> Finding {
        let mut last = self.last.lock().await;
        if let Some((at, finding)) = last.as_ref()
            && at.elapsed() < KEPT
        {
            return finding.clone();
        }
        let finding = self.ask().await;
        *last = Some((Instant::now(), finding.clone()));
        finding
    }

    async fn ask(&self) -> Finding {
        // A disconnected client would hold the ping back until it is connected again.
        let asked = tokio::time::timeout(WAIT * 2, discovery::ping(&self.nats, WAIT)).await;
        match asked {
            Ok(Ok(pings)) => document(Some(&instances(pings.iter().map(|ping| ping.name.as_str())))),
            Ok(Err(_)) | Err(_) => document(None),
        }
    }
}

fn instances<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    counts
}

/// None: NATS could not be asked.
fn document(instances: Option<&BTreeMap<&str, usize>>) -> Finding {
    let mut checks = Map::new();
    checks.insert("nats".to_owned(), json!({ "status": if instances.is_some() { "up" } else { "down" } }));
    let mut up = 0;
    for service in catalogue::SERVICES {
        let count = instances.and_then(|instances| instances.get(service)).copied().unwrap_or(0);
        up += usize::from(count > 0);
        let status = if count > 0 { "up" } else { "down" };
        checks.insert(service.to_owned(), json!({ "status": status, "instances": count }));
    }
    let status = match up {
        0 => "down",
        all if all == catalogue::SERVICES.len() => "ok",
        _ => "degraded",
    };
    let document = json!({ "status": status, "service": "edge", "timestamp": Utc::now(), "checks": checks });
    Finding { document, is_up: up > 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(names: &[&str]) -> Value {
        document(Some(&instances(names.iter().copied()))).document["status"].clone()
    }

    #[test]
    fn one_service_away_is_degraded_and_all_away_is_down() {
        assert_eq!(status(&catalogue::SERVICES), "ok");
        assert_eq!(status(&catalogue::SERVICES[1..]), "degraded");
        assert_eq!(status(&["edge"]), "down");
        assert!(!document(None).is_up);
    }
}
