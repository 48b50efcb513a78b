//! Stock that comes and goes, one piece at a time, always on the version that was answered last.

use super::client::{Answer, Ask, Client};
use super::people::Tokens;
use super::record::{Record, Written};
use super::scenery::Stock;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

/// A stock that one writer at a time deals with.
#[derive(Debug)]
pub struct StockLane {
    stock: Stock,
    /// A piece more than there was at the beginning.
    has_more: bool,
}

impl StockLane {
    /// A stock as it was found.
    pub fn new(stock: Stock) -> StockLane {
        StockLane { stock, has_more: false }
    }

    /// The next move. False: nobody knows how much there is now, so that it is of no more use.
    pub async fn step(&mut self, client: &Client, record: &Record, tokens: &Tokens, key: Uuid) -> bool {
        let Stock { id, version } = self.stock.clone();
        let (change, reason) = if self.has_more { (-1, "used") } else { (1, "received") };
        let ask = Ask {
            method: Method::PUT,
            path: format!("/inventory/{id}"),
            token: Some(tokens.clinic_owner.clone()),
            key: Some(key.to_string()),
            if_match: Some(version),
            body: Some(json!({ "change": change, "reason": reason })),
            repeatable: true,
        };
        match client.send(&ask).await {
            Answer::Acknowledged(stock) => self.moved(record, &stock),
            Answer::Refused(412, _) => {
                record.contradicted(format!("stock {id} is not of version {version} any more, as it was answered"));
                false
            }
            Answer::Refused(status, reason) => {
                record.count(&format!("stock refused: {status} {reason}"));
                false
            }
            Answer::Open => false,
        }
    }

    fn moved(&mut self, record: &Record, stock: &Value) -> bool {
        let Some(version) = stock.pointer("/version").and_then(Value::as_i64) else { return false };
        let Ok(id) = self.stock.id.parse() else { return false };
        if version != self.stock.version + 1 {
            record.contradicted(format!("stock {id} went from version {} to {version}", self.stock.version));
        }
        record.acknowledged(Written {
            service: "catalog",
            event_type: "inventory.changed",
            aggregate_id: id,
            version: Some(version),
        });
        self.stock.version = version;
        self.has_more = !self.has_more;
        true
    }
}
