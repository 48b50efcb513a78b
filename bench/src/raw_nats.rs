//! A NATS request and its reply, and nothing else: what a hop between services costs at the least.

use crate::load::Worker;
use bytes::Bytes;
use futures::StreamExt as _;
use platform::nats::{NatsConfig, connect};
use platform::setup::Host;
use subjects::Request as _;
use subjects::vendor::FindClinic;
use tokio::task::JoinHandle;

/// Who asks, and who answers: their permissions allow it, and while the platform does not run nobody else listens.
const ASKING: &str = "edge";
const ANSWERING: &str = "vendor";

/// Two connections to the platform's NATS server: one asks, one answers every request with the same body.
pub struct Echo {
    asking: async_nats::Client,
    answering: JoinHandle<()>,
}

impl Echo {
    /// Connects both, under the identities of two services.
    ///
    /// # Errors
    /// The server is away, or does not let them.
    pub async fn start(host: &Host, answer: Bytes) -> anyhow::Result<Echo> {
        let asking = connection(host, ASKING).await?;
        let answering = connection(host, ANSWERING).await?;
        let mut requests = answering.queue_subscribe(FindClinic::SUBJECT, ANSWERING.to_owned()).await?;
        answering.flush().await?;
        let answering = tokio::spawn(async move {
            while let Some(request) = requests.next().await {
                let Some(inbox) = request.reply else { continue };
                if answering.publish(inbox, answer.clone()).await.is_err() {
                    return;
                }
            }
        });
        Ok(Echo { asking, answering })
    }

    /// Those who ask, over the one connection, as the handlers of a service do.
    pub fn workers(&self, count: usize, question: &Bytes) -> Vec<Asking> {
        (0..count).map(|_| Asking { client: self.asking.clone(), question: question.clone() }).collect()
    }

    /// The version of the server.
    pub fn server_version(&self) -> String {
        self.asking.server_info().version
    }

    /// Closes both connections, so that the subject is free for the platform.
    ///
    /// # Errors
    /// They were lost before.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.answering.abort();
        // The subscription and the connection go with the task.
        let _cancelled = self.answering.await;
        self.asking.drain().await?;
        Ok(())
    }
}

/// One who asks.
pub struct Asking {
    client: async_nats::Client,
    question: Bytes,
}

impl Worker for Asking {
    async fn ask(&mut self) -> Result<(), String> {
        let asked = self.client.request(FindClinic::SUBJECT, self.question.clone()).await;
        asked.map(|_answer| ()).map_err(|error| error.to_string())
    }
}

async fn connection(host: &Host, identity: &str) -> anyhow::Result<async_nats::Client> {
    let config: NatsConfig = host.settings.section("nats")?;
    let (client, _signals) = connect(&config, identity, &host.keys, host.metrics.clone()).await?;
    Ok(client)
}
