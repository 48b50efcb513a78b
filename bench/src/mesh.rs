//! Requests to the platform's services over NATS, as the edge sends them: signed, with a deadline, in JSON.

use crate::load::Worker;
use bytes::Bytes;
use platform::client::{Client, RawCall};
use platform::codec::ContentType;
use platform::setup::{Host, Setup};
use platform::{Meta, client};
use std::sync::Arc;
use tokio::time::Instant;

/// Under whose identity it is asked: the edge may ask whatever has a route.
const ASKING: &str = "edge";

/// A connection to the mesh.
pub struct Mesh {
    client: Client,
    meta: Arc<Meta>,
}

impl Mesh {
    /// Connects.
    ///
    /// # Errors
    /// NATS is away.
    pub async fn connect(host: &Host) -> anyhow::Result<Mesh> {
        let setup = Setup::connect(host, ASKING).await?;
        Ok(Mesh { client: setup.client, meta: Arc::new(Meta::background("bench")) })
    }

    /// Those who ask one subject the same question, over the one connection, as the edge's handlers do.
    pub fn workers(&self, count: usize, subject: &'static str, question: &Bytes) -> Vec<Asking> {
        let asking =
            || Asking { client: self.client.clone(), meta: self.meta.clone(), subject, question: question.clone() };
        (0..count).map(|_| asking()).collect()
    }
}

/// One who asks.
pub struct Asking {
    client: Client,
    meta: Arc<Meta>,
    subject: &'static str,
    question: Bytes,
}

impl Worker for Asking {
    async fn ask(&mut self) -> Result<(), String> {
        let call = RawCall {
            content_type: ContentType::Json,
            body: self.question.clone(),
            user_token: None,
            deadline: Instant::now() + client::DEFAULT_TIMEOUT,
            meta: &self.meta,
        };
        let answered = self.client.request_raw(self.subject, call).await;
        answered.map(|_reply| ()).map_err(|fault| fault.to_string())
    }
}
