//! A window on stock: what `/inventory/watch` tells, printed as it comes (Server-Sent Events).

use super::story::number;
use crate::output::say;
use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How long a change may take to show.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much the stream may tell ahead of the story.
const AHEAD: usize = 64;

/// An open stream that a task of its own prints. It is closed when this is dropped.
pub(super) struct StockWindow {
    seen: mpsc::Receiver<Value>,
    printing: JoinHandle<anyhow::Result<()>>,
}

impl StockWindow {
    /// Opens the stream.
    pub(super) async fn open(url: &str, token: &str) -> anyhow::Result<StockWindow> {
        let http = reqwest::Client::builder().connect_timeout(PATIENCE).build()?;
        let request = http.get(url).bearer_auth(token).header("accept", "text/event-stream");
        let response = tokio::time::timeout(PATIENCE, request.send()).await.context("the stream does not begin")??;
        ensure!(response.status().is_success(), "{url}: {} {}", response.status(), response.text().await?);
        let (told, seen) = mpsc::channel(AHEAD);
        let printing = tokio::spawn(print(response, told));
        Ok(StockWindow { seen, printing })
    }

    /// Waits until it has shown something that is so.
    pub(super) async fn until(&mut self, is_so: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
        let look = async {
            while let Some(seen) = self.seen.recv().await {
                if is_so(&seen) {
                    return Ok(());
                }
            }
            bail!("the stream of stock has ended")
        };
        tokio::time::timeout(PATIENCE, look).await.context("the stream of stock does not tell of it")?
    }
}

impl Drop for StockWindow {
    fn drop(&mut self) {
        self.printing.abort();
    }
}

async fn print(mut response: reqwest::Response, told: mpsc::Sender<Value>) -> anyhow::Result<()> {
    let mut unread = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        unread.extend_from_slice(&chunk);
        while let Some(end) = unread.windows(2).position(|two| two == b"\n\n") {
            let block: Vec<u8> = unread.drain(..end + 2).collect();
            let Some((kind, item)) = read(&String::from_utf8_lossy(&block)) else { continue };
            let [on_hand, reserved, available] =
                ["/onHand", "/reserved", "/available"].map(|field| number(&item, field).unwrap_or_default());
            say!("{:46}│ {kind:<8} {on_hand:>4} on hand, {reserved:>3} reserved, {available:>4} available", "")?;
            if told.send(item).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The kind and item of one event. None: a comment, or an event without an item.
fn read(block: &str) -> Option<(String, Value)> {
    let field = |name: &str| {
        block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(|text| text.trim().to_owned()))
    };
    let item: Value = serde_json::from_str(&field("data")?).ok()?;
    item.get("inventoryId")?;
    Some((field("event")?, item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_an_item_is_read() {
        let change = "event: change\nid: 1-2\ndata: {\"inventoryId\":\"x\"}\n\n";
        assert_eq!(read(change), Some(("change".to_owned(), serde_json::json!({ "inventoryId": "x" }))));
        for other in [": still here\n\n", "retry: 2000\n\n", "event: ready\nid: 1-2\ndata: {}\n\n", "event: reset\n\n"]
        {
            assert_eq!(read(other), None, "{other:?}");
        }
    }
}
