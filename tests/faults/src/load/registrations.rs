//! New accounts, each with an address of its own.

use super::client::{Answer, Ask, Client};
use super::record::{Record, Written};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// Registers somebody. Without a key it is not sent again: nobody would know which of the two has made the account.
pub async fn register(client: &Client, record: &Record, person: Uuid, keyed: bool) {
    let ask = Ask {
        method: Method::POST,
        path: "/auth/register".to_owned(),
        token: None,
        key: keyed.then(|| person.to_string()),
        if_match: None,
        body: Some(json!({
            "email": format!("{}@load.petpro.example", person.simple()),
            "password": format!("kucing-{}", person.simple()),
            "firstName": "Sri",
        })),
        repeatable: keyed,
    };
    match client.send(&ask).await {
        Answer::Acknowledged(user) => {
            let id = user.pointer("/id").and_then(Value::as_str).and_then(|id| id.parse().ok());
            if let Some(aggregate_id) = id {
                let version = None;
                record.acknowledged(Written { service: "auth", event_type: "user.registered", aggregate_id, version });
            }
        }
        Answer::Refused(status, reason) => record.count(&format!("registration refused: {status} {reason}")),
        Answer::Open => {}
    }
}
